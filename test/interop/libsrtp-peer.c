// libsrtp at the end of a pipe. First line: profile id and master key with salt, in hex. Each further line is a letter and
// a packet in hex: p and u protect and unprotect RTP, P and U RTCP. Answers each with the packet in hex, or "refused".
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PACKET 2048

static int read_hex(const char *text, unsigned char *bytes) {
  int count = 0;
  unsigned value;
  while (count < MAX_PACKET && sscanf(text + 2 * count, "%2x", &value) == 1) bytes[count++] = value;
  return count;
}

static srtp_t create(int profile, unsigned char *key, srtp_ssrc_type_t direction) {
  srtp_policy_t policy;
  memset(&policy, 0, sizeof policy);
  if (profile == 7) {
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
    srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
  } else {
    srtp_crypto_policy_set_rtp_default(&policy.rtp);
    srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
  }
  policy.ssrc.type = direction;
  policy.key = key;
  policy.window_size = 128;
  srtp_t session;
  if (srtp_create(&session, &policy) != srtp_err_status_ok) exit(1);
  return session;
}

int main(void) {
  static char line[2 * MAX_PACKET + 8];
  unsigned char key[MAX_PACKET], packet[MAX_PACKET + SRTP_MAX_TRAILER_LEN + 4];
  int profile;
  if (srtp_init() != srtp_err_status_ok || !fgets(line, sizeof line, stdin)) return 1;
  if (sscanf(line, "%d", &profile) != 1) return 1;
  read_hex(strchr(line, ' ') + 1, key);
  srtp_t outbound = create(profile, key, ssrc_any_outbound);
  srtp_t inbound = create(profile, key, ssrc_any_inbound);
  while (fgets(line, sizeof line, stdin)) {
    int length = read_hex(line + 2, packet);
    srtp_err_status_t status = srtp_err_status_bad_param;
    if (line[0] == 'p') status = srtp_protect(outbound, packet, &length);
    if (line[0] == 'u') status = srtp_unprotect(inbound, packet, &length);
    if (line[0] == 'P') status = srtp_protect_rtcp(outbound, packet, &length);
    if (line[0] == 'U') status = srtp_unprotect_rtcp(inbound, packet, &length);
    if (status != srtp_err_status_ok) length = 0;
    for (int i = 0; i < length; i++) printf("%02x", packet[i]);
    puts(length == 0 ? "refused" : "");
  }
  return 0;
}
