"use strict";
// A page with the reference in it, in a worker. Its clock is ours: time passes while a request is under way
// or a step waits; where nothing but a timer is left to wait for, that timer is due at once. A promise that
// is pending when neither request nor timer is left will be pending for ever, which is then known without
// waiting.
const fs = require("node:fs");
const vm = require("node:vm");
const { MessageChannel, parentPort, receiveMessageOnPort, workerData } = require("node:worker_threads");
const { DataSteps } = require("./jsdo.js");
const { makeXMLHttpRequest } = require("./xhr.js");

const library = new vm.Script(fs.readFileSync(workerData.library, "utf8"), { filename: workerData.library });

const PROPERTIES = ["authenticationModel", "catalogURIs", "clientContextId", "connected", "loginHttpStatus",
  "loginResult", "name", "pingInterval", "serviceURI", "userName"];

let page; // the open one

class Storage {
  constructor() {
    this.items = new Map();
  }
  get length() {
    return this.items.size;
  }
  key(n) {
    return [...this.items.keys()][n] ?? null;
  }
  getItem(name) {
    return this.items.has(String(name)) ? this.items.get(String(name)) : null;
  }
  setItem(name, value) {
    this.items.set(String(name), String(value));
  }
  removeItem(name) {
    this.items.delete(String(name));
  }
  clear() {
    this.items.clear();
  }
}

// ---- requests and time

const waiting = new Map(); // what wants an answer, by number
let numbers = 0;

function makeWire(mine) {
  return {
    page: mine.url,
    run: (call) => mine.run(call),
    send(request) {
      const id = ++numbers;
      mine.inFlight += 1;
      parentPort.postMessage({ request, id });
      return new Promise((resolve) => {
        waiting.set(id, (answer) => {
          mine.inFlight -= 1;
          if (mine === page) resolve(answer);
          mine.woken();
        });
      });
    },
    sendSync(request) {
      const { port1, port2 } = new MessageChannel();
      const flag = new Int32Array(new SharedArrayBuffer(4));
      parentPort.postMessage({ request, port: port2, flag }, [port2]);
      Atomics.wait(flag, 0, 0, 10000);
      const message = receiveMessageOnPort(port1);
      port1.close();
      return message ? message.message : { status: 0, error: "no answer" };
    },
  };
}

function turn() {
  return new Promise((resolve) => { setImmediate(resolve); });
}

class Page {
  constructor(url, storages) {
    this.url = url;
    this.storages = storages;
    this.inFlight = 0;
    this.now = 0;
    this.timers = [];
    this.woken = () => {};
    this.objects = {};
    this.pending = {};
    this.sessions = {};
    this.handlers = {};
    this.scopes = {};
    this.events = [];
    this.uncaught = 0;
    this.listeners = { online: [], offline: [] };
    this.load();
  }

  // Calls as a page does of its own accord: an exception ends in the console.
  run(call) {
    try {
      return call();
    } catch (error) {
      this.uncaught += 1;
      return undefined;
    }
  }

  setTimer(call, delay, args) {
    const timer = { id: ++numbers, due: this.now + (Number(delay) || 0), call: () => call(...args) };
    this.timers.push(timer);
    return timer.id;
  }

  load() {
    const silent = () => {};
    const window = {
      addEventListener: (type, listener) => (this.listeners[type] || []).push(listener),
      removeEventListener: silent,
    };
    const globals = {
      window, exports: {}, navigator: { userAgent: "conformance", onLine: true },
      console: { log: silent, warn: silent, error: silent, info: silent },
      XMLHttpRequest: makeXMLHttpRequest(makeWire(this)),
      sessionStorage: this.storages.session, localStorage: this.storages.local,
      btoa: (text) => Buffer.from(text, "latin1").toString("base64"),
      atob: (text) => Buffer.from(text, "base64").toString("latin1"),
      setTimeout: (call, delay, ...args) => this.setTimer(call, delay, args),
      clearTimeout: (id) => { this.timers = this.timers.filter((timer) => timer.id !== id); },
    };
    vm.createContext(globals);
    library.runInContext(globals);
    this.realm = vm.runInContext("({ Array, Object, Promise })", globals); // known to instanceof
    this.progress = globals.exports.progress;
    this.data = new DataSteps(this);
  }

  nextTimer() {
    return this.timers.reduce((first, timer) => (!first || timer.due < first.due ? timer : first), undefined);
  }

  fireTimer(timer) {
    this.timers = this.timers.filter((other) => other !== timer);
    this.now = Math.max(this.now, timer.due);
    this.run(timer.call);
  }

  // Real time passes until an answer comes or the next timer is due.
  async await(limit) {
    const began = Date.now();
    const timer = this.nextTimer();
    const delay = Math.min(limit, timer ? Math.max(0, timer.due - this.now) : limit);
    let clock;
    const answered = await new Promise((resolve) => {
      this.woken = () => resolve(true);
      clock = setTimeout(resolve, delay, false);
    });
    clearTimeout(clock);
    this.woken = () => {};
    this.now += Date.now() - began;
    if (!answered && timer && timer.due <= this.now) this.fireTimer(timer);
  }

  // Lets the page live until `done()`; false when that cannot be, or is not within so many seconds.
  async until(done, within) {
    const end = this.now + within * 1000;
    for (;;) {
      await turn();
      if (done()) return true;
      if (this.now >= end) return false;
      if (this.inFlight > 0) {
        await this.await(end - this.now);
      } else {
        const timer = this.nextTimer();
        if (!timer || timer.due > end) {
          this.now = end;
          return false;
        }
        this.fireTimer(timer);
      }
    }
  }

  // ---- what a case may name

  handler(given) {
    const known = this.handlers[given.$handler];
    if (known) return known;
    const mine = this;
    this.handlers[given.$handler] = function handler(session, ...rest) {
      const scope = Object.keys(mine.scopes).find((name) => mine.scopes[name] === this);
      const reason = typeof rest[0] === "string" ? ` ${rest[0]}` : "";
      const label = given.$handler === "any" ? "" : `${given.$handler}: `;
      const request = rest[rest.length - 1] ? " (a request)" : "";
      const where = scope ? ` in ${scope}` : "";
      mine.events.push(`${label}${reason ? "offline" : "online"}${reason}${request}${where}`);
      if (given.throws) throw new Error("from a handler");
    };
    return this.handlers[given.$handler];
  }

  argument(given) {
    if (given === null) return undefined;
    if (Array.isArray(given)) return this.realm.Array.from(given, (value) => this.argument(value));
    if (typeof given !== "object") return given;
    if (given.$null || given.$nothing) return null;
    if (given.$undefined) return undefined;
    if (given.$empty) return new this.realm.Array();
    if (given.$object) return this.objects[given.$object];
    if (given.$handler) return this.handler(given);
    if (given.$scope) {
      this.scopes[given.$scope] = this.scopes[given.$scope] || new this.realm.Object();
      return this.scopes[given.$scope];
    }
    if (given.$adds) {
      return (params) => {
        const whose = params.session === this.sessions.s ? "" : " for an inner object";
        this.events.push(`opening ${params.verb}${whose}`);
        for (const [name, value] of Object.entries(given.$adds)) params.xhr.setRequestHeader(name, value);
      };
    }
    if (given.$promises) return () => this.realm.Promise.resolve(given.$promises);
    if (given.$rejects) return () => this.realm.Promise.reject(given.$rejects);
    const known = this.data.argument(given);
    if (known !== undefined) return known;
    const made = new this.realm.Object();
    for (const [name, value] of Object.entries(given)) made[name] = this.argument(value);
    return made;
  }

  label(value) {
    return Object.keys(this.objects).find((name) => this.objects[name] === value);
  }

  // A value that JSON can tell.
  plain(value) {
    if (value === undefined || value === null || typeof value === "function") return null;
    const label = this.label(value);
    if (label) return { $object: label };
    if (typeof value === "object") return JSON.parse(JSON.stringify(value));
    return value;
  }

  enlist(name, session) {
    this.objects[name] = this.sessions[name] = session;
    session.subscribe("online", this.handler({ $handler: "any" }));
    session.subscribe("offline", this.handler({ $handler: "any" }));
  }

  // ---- what came of a call

  detail(one) {
    return { catalogURI: one.catalogURI, result: one.result, error: one.errorObject ? true : undefined,
      status: one.xhr ? one.xhr.status : undefined };
  }

  info(info) {
    if (info === undefined || info === null) return { kind: "none" };
    if (Array.isArray(info)) return { kind: "array", details: info.map((one) => this.detail(one)) };
    const told = { kind: "object", reason: info.offlineReason ?? undefined, said: this.plain(info.reason),
      ...this.detail(info) };
    if (info.details) told.details = info.details.map((one) => this.detail(one));
    return told;
  }

  settled(outcome, object, name) {
    if (typeof object !== "object" || object === null) return { outcome, info: { kind: "none" } };
    const { jsdosession, provider, result, info } = object;
    if (name && jsdosession && !this.label(jsdosession)) this.enlist(name, jsdosession);
    const about = jsdosession || provider;
    if ("success" in object) { // of a JSDO
      const xhr = object.request && object.request.xhr;
      return { outcome, status: xhr ? xhr.status : null };
    }
    return { outcome, value: about ? this.label(about) : undefined, result, info: this.info(info) };
  }

  async outcomeOf(promise, step) {
    let told;
    const settled = (outcome, object, name) =>
      (step.data ? this.data.settled(outcome, object) : this.settled(outcome, object, name));
    promise.then((object) => { told = told || settled("resolved", object, step.as); },
      (object) => { told = told || settled("rejected", object); });
    await this.until(() => told, step.within);
    return told || { outcome: "unsettled" };
  }

  properties() {
    const all = {};
    for (const [name, session] of Object.entries(this.sessions)) {
      const { authProvider, onOpenRequest } = session;
      const told = {};
      for (const property of PROPERTIES) told[property] = this.plain(session[property]);
      told.JSDOs = session.JSDOs.length;
      told.services = session.services.map((service) => `${service.name} ${service.uri}`);
      told.onOpenRequest = typeof onOpenRequest === "function";
      told.authProvider = authProvider ? authProvider.hasClientCredentials() : null;
      all[name] = told;
    }
    return all;
  }

  // ---- steps

  construct(step) {
    const options = this.argument(step.args[0]);
    if (step.verb === "new") this.enlist(step.as, new this.progress.data.JSDOSession(options));
    else this.objects[step.as] = new this.progress.data.AuthenticationProvider(options);
    return { outcome: "returned" };
  }

  // A read of the resource Customer by a data object.
  read() {
    this.jsdo = this.jsdo || new this.progress.data.JSDO({ name: "Customer" });
    return this.jsdo.fill("");
  }

  device(step) {
    const type = step.args[0] ? "online" : "offline";
    for (const listener of this.listeners[type]) this.run(() => listener({ type }));
    return { outcome: "returned" };
  }

  call(step) {
    const args = step.args.map((value) => this.argument(value));
    switch (step.verb) {
      case "new": case "provider": return this.construct(step);
      case "device": return this.device(step);
      case "read": return this.read();
      case "getSession": case "invalidateAllSessions": return this.progress.data[step.verb](...args);
      case "set": this.objects[step.on][args[0]] = args[1]; return undefined;
      case "get": return this.objects[step.on][args[0]];
      case "constant": return this.progress.data.Session[args[0]];
      default: return this.objects[step.on][step.verb](...args);
    }
  }

  async take(step) {
    if (step.verb === "wait") {
      await this.until(() => false, step.args[0]);
      return { outcome: "returned" };
    }
    if (step.verb === "await") {
      const { promise, of } = this.pending[step.args[0]] || {};
      delete this.pending[step.args[0]];
      return promise ? this.outcomeOf(promise, { ...of, within: step.within }) : { outcome: "unsettled" };
    }
    if (step.verb === "together") {
      const begun = step.args.map((one) =>
        this.begin({ ...one, args: Array.isArray(one.args) ? one.args : [] }));
      const told = [];
      for (const [i, one] of begun.entries()) {
        const given = { ...step.args[i], within: step.within };
        told.push(one.promise ? await this.outcomeOf(one.promise, given) : one.told);
      }
      return { outcome: "together", all: told };
    }
    const { promise, told } = this.begin(step);
    if (!promise) return told;
    if (!step.later) return this.outcomeOf(promise, step);
    this.pending[step.later] = { promise, of: step };
    return { outcome: "begun" };
  }

  begin(step) {
    if (step.data) return this.data.begin(step);
    try {
      const value = this.call(step);
      if (value && typeof value.then === "function") {
        value.then(() => {}, () => {}); // it is looked at, if later
        return { promise: value };
      }
      if (value && value.outcome === "returned") return { told: value };
      return { told: { outcome: "returned", value: this.plain(value) } };
    } catch (error) {
      return { told: { outcome: "raised" } };
    }
  }

  async step(step) {
    const told = await this.take(step);
    const isIdle = step.data && Object.keys(this.pending).length === 0;
    if (step.verb === "read" || isIdle) await this.until(() => this.inFlight === 0, 2); // it pings by itself
    for (let i = 0; i < 4; i++) await turn(); // handlers that were called by the same answer
    told.events = this.events;
    told.uncaught = this.uncaught;
    told.properties = this.properties();
    told.memory = this.data.memory();
    this.events = [];
    this.uncaught = 0;
    return told;
  }
}

process.on("unhandledRejection", () => { if (page) page.uncaught += 1; });

const commands = {
  open(line) {
    page = new Page(line.page, { session: new Storage(), local: new Storage() });
    return {};
  },
  // The same tab shows the same address again.
  refresh() {
    page = new Page(page.url, page.storages);
    return {};
  },
  async live({ within }) {
    await page.until(() => false, within);
    return {};
  },
  // No arguments come as {}.
  step: ({ step }) => page.step({ ...step, args: Array.isArray(step.args) ? step.args : [] }),
};

parentPort.on("message", async (message) => {
  if (message.id) {
    const answered = waiting.get(message.id);
    waiting.delete(message.id);
    if (answered) answered(message.answer);
  } else {
    parentPort.postMessage({ done: await commands[message.do](message) });
  }
});
