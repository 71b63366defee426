// The pion program of the bench: answers every offer, plays pre-encoded Opus packets in a loop, reads what comes in.
// It speaks the same lines on stdin and stdout as the other programs; ../sut.mjs lists them.
//
// Configuration, chosen because it was pion's cheapest here: Opus alone in the media engine, RTCP reports as the one
// interceptor, one certificate for all calls, one UDP port a call (-mux for one port for all), one goroutine with one
// ticker that writes to all calls (-goroutines for a ticker a call, as pion's own examples have it), and Read into
// one buffer per call instead of ReadRTP.
package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc"
)

const (
	slot          = 20 * time.Millisecond
	slotRtpTicks  = 960
	receiveBuffer = 1500
)

type command struct {
	ID   int    `json:"id"`
	Do   string `json:"do"`
	Call int    `json:"call"`
	SDP  string `json:"sdp"`
	GC   bool   `json:"gc"`
}

type answer struct {
	ID              int    `json:"id"`
	SDP             string `json:"sdp,omitempty"`
	Error           string `json:"error,omitempty"`
	PacketsSent     int64  `json:"packetsSent"`
	PacketsReceived int64  `json:"packetsReceived"`
	PacketsLost     int64  `json:"packetsLost"`
	Calls           int    `json:"calls"`
}

type call struct {
	peer   *webrtc.PeerConnection
	track  *webrtc.TrackLocalStaticRTP
	packet rtp.Packet
	next   int
	done   chan struct{}
	start  sync.Once
	end    sync.Once
}

type program struct {
	api           *webrtc.API
	configuration webrtc.Configuration
	prompt        [][]byte
	ownTickers    bool

	mu      sync.Mutex
	calls   map[int]*call
	playing []*call

	packetsSent     int64
	packetsReceived int64
	packetsLost     int64

	out sync.Mutex
}

func main() {
	promptFile := flag.String("prompt", "", "Opus packets, each after its length in two bytes")
	mux := flag.Bool("mux", false, "one UDP port for all calls")
	goroutines := flag.Bool("goroutines", false, "a goroutine with a ticker for each call")
	flag.Parse()

	prompt, err := readPrompt(*promptFile)
	must(err)
	p := &program{prompt: prompt, ownTickers: *goroutines, calls: map[int]*call{}}
	must(p.configure(*mux))
	if !p.ownTickers {
		go p.tickAll()
	}
	p.write(map[string]interface{}{
		"ready":   true,
		"name":    "pion",
		"version": runtime.Version(),
		"ports":   map[bool]string{true: "one for all", false: "one a call"}[*mux],
	})
	p.serve()
}

func (p *program) configure(mux bool) error {
	media := &webrtc.MediaEngine{}
	opus := webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType:    webrtc.MimeTypeOpus,
			ClockRate:   48000,
			Channels:    2,
			SDPFmtpLine: "minptime=20;useinbandfec=1",
		},
		PayloadType: 111,
	}
	if err := media.RegisterCodec(opus, webrtc.RTPCodecTypeAudio); err != nil {
		return err
	}
	interceptors := &interceptor.Registry{}
	if err := webrtc.ConfigureRTCPReports(interceptors); err != nil {
		return err
	}
	settings := webrtc.SettingEngine{}
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	settings.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	settings.SetHostAcceptanceMinWait(0)
	if mux {
		socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return err
		}
		settings.SetICEUDPMux(webrtc.NewICEUDPMux(nil, socket))
	}
	p.api = webrtc.NewAPI(
		webrtc.WithMediaEngine(media),
		webrtc.WithInterceptorRegistry(interceptors),
		webrtc.WithSettingEngine(settings),
	)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	certificate, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return err
	}
	p.configuration = webrtc.Configuration{Certificates: []webrtc.Certificate{*certificate}}
	return nil
}

func (p *program) serve() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 65536), 1<<20)
	for lines.Scan() {
		var c command
		must(json.Unmarshal(lines.Bytes(), &c))
		switch c.Do {
		case "answer":
			// pion blocks while it gathers.
			go p.answer(c)
		case "hangUp":
			go p.hangUp(c)
		case "sample":
			p.sample(c)
		case "stop":
			return
		}
	}
}

func (p *program) answer(c command) {
	sdp, err := p.open(c.Call, c.SDP)
	result := answer{ID: c.ID, SDP: sdp}
	if err != nil {
		result.Error = err.Error()
	}
	p.write(result)
}

func (p *program) open(id int, offer string) (string, error) {
	peer, err := p.api.NewPeerConnection(p.configuration)
	if err != nil {
		return "", err
	}
	track, err := webrtc.NewTrackLocalStaticRTP(
		webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "audio", "ringback")
	if err != nil {
		return "", err
	}
	opened := &call{peer: peer, track: track, done: make(chan struct{})}
	opened.packet.Version = 2
	opened.packet.PayloadType = 111
	sender, err := peer.AddTrack(track)
	if err != nil {
		return "", err
	}
	// Without a reader the interceptors never see the peer's reports.
	go drain(sender.Read)
	peer.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { p.receive(remote) })
	peer.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateConnected {
			opened.start.Do(func() { p.play(opened) })
		}
	})
	p.mu.Lock()
	p.calls[id] = opened
	p.mu.Unlock()
	return negotiate(peer, offer)
}

func negotiate(peer *webrtc.PeerConnection, offer string) (string, error) {
	remote := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}
	if err := peer.SetRemoteDescription(remote); err != nil {
		return "", err
	}
	local, err := peer.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(peer)
	if err := peer.SetLocalDescription(local); err != nil {
		return "", err
	}
	<-gathered
	return peer.LocalDescription().SDP, nil
}

func drain(read func([]byte) (int, interceptor.Attributes, error)) {
	buffer := make([]byte, receiveBuffer)
	for {
		if _, _, err := read(buffer); err != nil {
			return
		}
	}
}

func (p *program) receive(remote *webrtc.TrackRemote) {
	buffer := make([]byte, receiveBuffer)
	var last uint16
	for first := true; ; first = false {
		if _, _, err := remote.Read(buffer); err != nil {
			return
		}
		atomic.AddInt64(&p.packetsReceived, 1)
		// Loopback keeps the order: what is left out is lost.
		sequence := binary.BigEndian.Uint16(buffer[2:])
		if missing := sequence - last - 1; !first && missing != 0 {
			atomic.AddInt64(&p.packetsLost, int64(missing))
		}
		last = sequence
	}
}

func (p *program) play(c *call) {
	if p.ownTickers {
		go p.tickOne(c)
		return
	}
	p.send(c)
	p.mu.Lock()
	p.playing = append(p.playing, c)
	p.mu.Unlock()
}

// tickOne is what pion's examples do: a ticker for each call.
func (p *program) tickOne(c *call) {
	ticker := time.NewTicker(slot)
	defer ticker.Stop()
	for {
		p.send(c)
		select {
		case <-ticker.C:
		case <-c.done:
			return
		}
	}
}

// tickAll writes to all calls, in twenty groups a millisecond apart, so that the network is not given them at once.
func (p *program) tickAll() {
	const groups = 20
	ticker := time.NewTicker(slot / groups)
	due := time.Now()
	var batch []*call
	for group := 0; ; {
		<-ticker.C
		now := time.Now()
		for !due.After(now) {
			p.mu.Lock()
			batch = batch[:0]
			for i := group; i < len(p.playing); i += groups {
				batch = append(batch, p.playing[i])
			}
			p.mu.Unlock()
			for _, c := range batch {
				p.send(c)
			}
			group = (group + 1) % groups
			due = due.Add(slot / groups)
		}
	}
}

func (p *program) send(c *call) {
	c.packet.SequenceNumber++
	c.packet.Timestamp += slotRtpTicks
	c.packet.Payload = p.prompt[c.next]
	c.next = (c.next + 1) % len(p.prompt)
	if err := c.track.WriteRTP(&c.packet); err == nil {
		atomic.AddInt64(&p.packetsSent, 1)
	}
}

func (p *program) hangUp(c command) {
	p.mu.Lock()
	ended := p.calls[c.Call]
	delete(p.calls, c.Call)
	for i, playing := range p.playing {
		if playing == ended {
			last := len(p.playing) - 1
			p.playing[i] = p.playing[last]
			p.playing = p.playing[:last]
			break
		}
	}
	p.mu.Unlock()
	if ended != nil {
		ended.end.Do(func() { close(ended.done) })
		_ = ended.peer.Close()
	}
	p.write(answer{ID: c.ID})
}

func (p *program) sample(c command) {
	if c.GC {
		debug.FreeOSMemory()
	}
	p.mu.Lock()
	calls := len(p.calls)
	p.mu.Unlock()
	p.write(answer{
		ID:              c.ID,
		PacketsSent:     atomic.LoadInt64(&p.packetsSent),
		PacketsReceived: atomic.LoadInt64(&p.packetsReceived),
		PacketsLost:     atomic.LoadInt64(&p.packetsLost),
		Calls:           calls,
	})
}

func (p *program) write(value interface{}) {
	line, err := json.Marshal(value)
	must(err)
	p.out.Lock()
	defer p.out.Unlock()
	_, err = os.Stdout.Write(append(line, '\n'))
	must(err)
}

func readPrompt(path string) ([][]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader := bufio.NewReader(file)
	var packets [][]byte
	for {
		var length uint16
		err := binary.Read(reader, binary.BigEndian, &length)
		if errors.Is(err, io.EOF) {
			return packets, nil
		}
		if err != nil {
			return nil, err
		}
		packet := make([]byte, length)
		if _, err := io.ReadFull(reader, packet); err != nil {
			return nil, err
		}
		packets = append(packets, packet)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
