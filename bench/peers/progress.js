"use strict";
// Progress's own client, @progress/jsdo-core, over an XMLHttpRequest made of node:http with an agent that
// keeps one connection. A browser's work is not counted: there is none. The client's own timers are due at
// once, so that half a second of waiting for each call as shipped is not measured either. It is compiled as a
// function, not in a context of its own, whose globals are slow.
//   load(service, library) -> the client's `progress`
//   forget()               drops the cookie
//   end()                  ends the process: an interval of the client would go on
const fs = require("node:fs");
const http = require("node:http");
const vm = require("node:vm");
const { makeXMLHttpRequest } = require("../../spec/suites/conformance/xhr.js");

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
let cookie;

function send(request) {
  const headers = { ...request.headers };
  if (cookie) headers.Cookie = cookie;
  return new Promise((resolve) => {
    const sent = http.request(request.url, { method: request.method, headers, agent });
    sent.on("error", (error) => resolve({ status: 0, error: String(error) }));
    sent.on("response", (answer) => {
      const parts = [];
      if (answer.headers["set-cookie"]) cookie = answer.headers["set-cookie"][0].split(";")[0];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({
        status: answer.statusCode, statusText: answer.statusMessage, headers: answer.rawHeaders,
        body: Buffer.concat(parts).toString("utf8"), url: request.url,
      }));
    });
    sent.end(request.body);
  });
}

function storage() {
  const items = new Map();
  return {
    get length() { return items.size; },
    key: (n) => [...items.keys()][n] ?? null,
    getItem: (name) => items.get(String(name)) ?? null,
    setItem: (name, value) => items.set(String(name), String(value)),
    removeItem: (name) => items.delete(String(name)),
  };
}

function load(service, library) {
  const silent = () => {};
  const globals = {
    window: { addEventListener: silent, removeEventListener: silent }, exports: {},
    navigator: { userAgent: "bench", onLine: true },
    console: { log: silent, warn: silent, error: silent, info: silent },
    XMLHttpRequest: makeXMLHttpRequest({ page: new URL(service), run: (call) => call(), send }),
    sessionStorage: storage(), localStorage: storage(),
    btoa: (text) => Buffer.from(text, "latin1").toString("base64"),
    setTimeout: (call, delay, ...args) => setImmediate(call, ...args), clearTimeout: clearImmediate,
  };
  const source = fs.readFileSync(library, "utf8");
  vm.compileFunction(source, Object.keys(globals), { filename: library })(...Object.values(globals));
  return globals.exports.progress;
}

function forget() { cookie = undefined; }

function end() {
  agent.destroy();
  process.exit(0);
}

module.exports = { load, forget, end };
