"use strict";
// The benchmark's works with Progress's own client, @progress/jsdo-core, over an XMLHttpRequest made of
// node:http with an agent that keeps one connection. Prints what client.lua prints. A browser's work is not
// counted: there is none. The client's own timers are due at once, so that half a second of waiting for each
// call as shipped is not measured either.
// usage: node jsdo.js ping|form COUNT SERVICE-URI LIBRARY
const fs = require("node:fs");
const http = require("node:http");
const vm = require("node:vm");
const { makeXMLHttpRequest } = require("../../spec/suites/conformance/xhr.js");
const { tell } = require("./tell.js");

const [work, count, uri, library] =
  [process.argv[2], Number(process.argv[3]), process.argv[4], process.argv[5]];
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

function load() {
  const silent = () => {};
  const globals = {
    window: { addEventListener: silent, removeEventListener: silent }, exports: {},
    navigator: { userAgent: "bench", onLine: true },
    console: { log: silent, warn: silent, error: silent, info: silent },
    XMLHttpRequest: makeXMLHttpRequest({ page: new URL(uri), run: (call) => call(), send }),
    sessionStorage: storage(), localStorage: storage(),
    btoa: (text) => Buffer.from(text, "latin1").toString("base64"),
    setTimeout: (call, delay, ...args) => setImmediate(call, ...args), clearTimeout: clearImmediate,
  };
  vm.createContext(globals);
  vm.runInContext(fs.readFileSync(library, "utf8"), globals, { filename: library });
  return globals.exports.progress;
}

const progress = load();

async function logIn(model) {
  const session = new progress.data.JSDOSession({ serviceURI: uri, authenticationModel: model });
  const { result } = await session.login("lua", "secret");
  if (result !== progress.data.Session.SUCCESS) throw new Error("not logged in");
  return session;
}

async function ping(session) {
  const { result } = await session.ping();
  if (result !== true) throw new Error("not a pong");
}

async function form() {
  cookie = undefined;
  const session = await logIn("form");
  await session.addCatalog(`${uri}/static/catalog.json`);
  if (session.services.length !== 1) throw new Error("not the catalog's service");
  await ping(session);
  await session.invalidate(); // logs out first; without it the next session's catalog would be an error
}

async function main() {
  const session = work === "ping" ? await logIn("anonymous") : undefined;
  const unit = work === "ping" ? () => ping(session) : form;
  await unit();
  await tell(count, async () => { for (let i = 0; i < count; i++) await unit(); });
  agent.destroy();
  process.exit(0); // the client's own interval goes on
}

main();
