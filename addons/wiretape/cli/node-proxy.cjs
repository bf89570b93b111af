// Preloaded by `wiretape run` and `wiretape env` (NODE_OPTIONS=--require): makes fetch and http(s).request of a Node that
// knows no NODE_USE_ENV_PROXY go through HTTPS_PROXY and HTTP_PROXY. It needs no package, and does nothing where Node
// does it.
'use strict';

const net = require('net');
const tls = require('tls');
const http = require('http');
const https = require('https');

const CONNECT_TIMEOUT_MS = 10000; // undici's own

const env = (name) => process.env[name.toLowerCase()] || process.env[name] || '';

const proxies = { 'https:': parse(env('HTTPS_PROXY')), 'http:': parse(env('HTTP_PROXY')) };
const exceptions = env('NO_PROXY').toLowerCase().split(/[\s,]+/).filter(Boolean);

const DONE = Symbol.for('wiretape.node-proxy'); // a copy of this file may be preloaded as well: `wiretape env` names one

if (proxies['https:'] && !supported() && !globalThis[DONE]) {
  globalThis[DONE] = true;
  patchFetch();
  patchAgents();
}

function parse(value) {
  try {
    const url = new URL(value);
    return /^https?:$/.test(url.protocol) ? url : null; // socks: not ours
  } catch {
    return null; // empty, or no URL
  }
}

function supported() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return Boolean(process.versions.bun) || major >= 24 || (major === 22 && minor >= 21);
}

const bare = (hostname) => hostname.replace(/^\[|\]$/g, ''); // [::1] in a URL, ::1 in a certificate
const portOf = (url) => Number(url.port) || (url.protocol === 'https:' ? 443 : 80);

/** The proxy for a target, or null: none is set, NO_PROXY names it, or it is the proxy itself (axios speaks to it). */
function proxyFor(protocol, hostname, port) {
  const proxy = proxies[protocol];
  const host = bare(hostname).toLowerCase();
  if (!proxy || (host === bare(proxy.hostname) && Number(port) === portOf(proxy))) return null;
  return exceptions.some((entry) => excepts(entry, host, Number(port))) ? null : proxy;
}

/** One entry of NO_PROXY: `*`, a name and what is below it, an address; each with or without a port. No CIDR. */
function excepts(entry, host, port) {
  const [, name, only] = net.isIPv6(entry) ? [entry, entry] : /^(.*?)(?::(\d+))?$/.exec(entry);
  if (only && Number(only) !== port) return false;
  const suffix = bare(name).replace(/^\*?\./, '');
  return name === '*' || host === suffix || host.endsWith(`.${suffix}`);
}

/** A socket to the target through the proxy: TLS to the target already done for https. Calls back once. */
function tunnel(proxy, { protocol, hostname, port, servername, tlsOptions }, callback) {
  const target = `${net.isIPv6(bare(hostname)) ? `[${bare(hostname)}]` : hostname}:${port}`;
  const headers = { host: target };
  if (proxy.username) {
    const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    headers['proxy-authorization'] = `Basic ${Buffer.from(user).toString('base64')}`;
  }
  const request = (proxy.protocol === 'https:' ? https : http).request({
    method: 'CONNECT', host: bare(proxy.hostname), port: portOf(proxy), path: target, headers,
    agent: false, // not the agents below: they would come here again
  });
  request.setTimeout(CONNECT_TIMEOUT_MS, () => request.destroy(new Error(`proxy ${proxy.host}: no answer`)));
  request.once('error', callback);
  request.once('connect', (response, socket, head) => {
    request.off('error', callback);
    if (response.statusCode !== 200) {
      socket.destroy();
      callback(new Error(`proxy ${proxy.host} refused ${target}: ${response.statusCode} ${response.statusMessage}`));
      return;
    }
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60000);
    if (head.length) socket.unshift(head);
    if (protocol !== 'https:') {
      callback(null, socket);
      return;
    }
    const name = servername || (net.isIP(bare(hostname)) ? '' : hostname);
    const secure = tls.connect({ ALPNProtocols: ['http/1.1'], ...tlsOptions, host: bare(hostname), servername: name, socket });
    const failed = (error) => {
      secure.destroy();
      socket.destroy();
      callback(error);
    };
    const timer = setTimeout(() => failed(new Error(`TLS with ${target}: no answer`)), CONNECT_TIMEOUT_MS);
    secure.once('error', failed);
    secure.once('close', () => clearTimeout(timer));
    secure.once('secureConnect', () => {
      clearTimeout(timer);
      secure.off('error', failed); // from here on the socket is the caller's
      callback(null, secure);
    });
  });
  request.end();
}

/**
 * Node's fetch is undici, bundled and not importable. But once loaded it keeps its dispatcher, an undici Agent, where
 * every copy of undici looks for it; the Agent's class takes a function that makes the connections.
 */
function patchFetch() {
  void globalThis.Response; // loads undici
  const key = Symbol.for('undici.globalDispatcher.1');
  const direct = globalThis[key];
  const Agent = direct && direct.constructor;
  if (!Agent || Agent.name !== 'Agent') return; // a Node without fetch, or someone's own dispatcher: their choice

  class ProxyAgent extends Agent {
    constructor() {
      super({
        connect({ protocol, hostname, port, servername }, callback) {
          const number = Number(port) || (protocol === 'https:' ? 443 : 80);
          tunnel(proxyFor(protocol, hostname, number), { protocol, hostname, port: number, servername }, callback);
        },
      });
    }

    dispatch(options, handler) {
      const url = new URL(options.origin);
      const proxied = proxyFor(url.protocol, url.hostname, portOf(url));
      return proxied ? super.dispatch(options, handler) : direct.dispatch(options, handler);
    }
  }
  globalThis[key] = new ProxyAgent();
}

/** http.request and https.request without an agent of the caller's own: node-fetch, got, older SDKs. */
function patchAgents() {
  const withProxy = (Base, protocol) => class extends Base {
    createConnection(options, callback) {
      const hostname = options.host || 'localhost';
      const proxy = options.socketPath ? null : proxyFor(protocol, hostname, options.port);
      if (!proxy) return super.createConnection(options, callback);
      const { host, port, path, socketPath, servername, ...tlsOptions } = options;
      tunnel(proxy, { protocol, hostname, port, servername, tlsOptions }, callback);
      return undefined; // the socket comes with the callback
    }
  };
  const likeNode = { keepAlive: true, scheduling: 'lifo', timeout: 5000 };
  http.globalAgent = new (withProxy(http.Agent, 'http:'))(likeNode);
  https.globalAgent = new (withProxy(https.Agent, 'https:'))(likeNode);
}
