import { rows } from './limit.ts';

/** Net: what a stranger may hold before anybody knows who he is, and what a slow peer may make us keep. */
export const netLimits = rows({
  preauth_seconds: {
    value: 60,
    unit: 'seconds',
    reason:
      'from accept to authentication; a client that sends one byte a second would hold a place for ever',
    onExcess: 'the connection is told so in its protocol and closed',
  },
  preauth_per_address: {
    value: 50,
    unit: 'count',
    reason:
      'connections of one IPv4 address or IPv6 /64 that have not authenticated, per worker; not for loopback',
    onExcess: 'a further connection gets the busy line of its protocol instead of a greeting',
  },
  tls_handshake: {
    value: 30,
    unit: 'seconds',
    reason: 'a handshake is four packets; a peer that stops in it holds buffers of the TLS engine',
    onExcess: 'the connection is closed',
  },
  proxy_header: {
    value: 2_048,
    unit: 'bytes',
    reason: 'the PROXY protocol asks for 536; what a proxy says of TLS, with a certificate name, fits',
    onExcess: 'the connection is closed',
  },
  proxy_wait: {
    value: 5,
    unit: 'seconds',
    reason: 'the header leaves the proxy with the first packet',
    onExcess: 'the connection is closed',
  },
  output_high_water: {
    value: 256 << 10,
    unit: 'bytes',
    reason:
      'output a connection holds before its protocol is asked to wait; a few round trips of a fast line',
    onExcess: 'write() answers false, the protocol awaits drain()',
  },
  output_stall: {
    value: 300,
    unit: 'seconds',
    reason:
      'a peer that takes nothing of what waits for it is gone or hostile; slow lines take some in five minutes',
    onExcess: 'the connection is closed',
  },
  close_linger: {
    value: 5,
    unit: 'seconds',
    reason: 'after the last answer the peer gets this long to take it and to close its side',
    onExcess: 'the connection is reset',
  },
});
