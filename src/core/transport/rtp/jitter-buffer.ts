/** Puts packets in order for playout, bounded, adaptive. Sans-IO. */
export class JitterBuffer {}
