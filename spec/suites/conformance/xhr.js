"use strict";
// XMLHttpRequest as far as the reference uses it. `wire.send(request)` gives a promise of the answer,
// `wire.sendSync(request)` the answer itself; `wire.page` is the page's URL.

function makeXMLHttpRequest(wire) {
  return class XMLHttpRequest {
    constructor() {
      this.readyState = 0;
      this.status = 0;
      this.statusText = "";
      this.responseText = this.response = this.responseURL = "";
      this.responseType = "";
      this.timeout = 0;
      this.withCredentials = false;
      this.listeners = {};
      this.reset();
    }

    reset() {
      this.headers = {};
      this.answer = [];
      this.sent = null;
    }

    addEventListener(type, listener) {
      (this.listeners[type] = this.listeners[type] || []).push(listener);
    }

    fire(type) {
      for (const listener of [this[`on${type}`], ...(this.listeners[type] || [])]) {
        if (typeof listener === "function") wire.run(() => listener.call(this, { type, target: this }));
      }
    }

    turn(state) {
      this.readyState = state;
      this.fire("readystatechange");
    }

    open(method, url, async = true) {
      this.reset();
      this.method = String(method).toUpperCase();
      this.url = new URL(url, wire.page).href;
      this.async = async !== false;
      this.turn(1);
    }

    // Lines of one name are joined; what is beyond Latin-1 cannot be sent.
    setRequestHeader(name, value) {
      const text = String(value);
      if (this.readyState !== 1) throw new Error("setRequestHeader: the request is not open");
      if (/[^\x00-\xff]/.test(text)) throw new TypeError("setRequestHeader: the value is not a ByteString");
      const known = Object.keys(this.headers)
        .find((other) => other.toLowerCase() === String(name).toLowerCase());
      if (known) this.headers[known] += `, ${text}`;
      else this.headers[name] = text;
    }

    send(body) {
      if (this.readyState !== 1) throw new Error("send: the request is not open");
      const request = { method: this.method, url: this.url, headers: this.headers,
        withCredentials: this.withCredentials };
      if (body !== undefined && body !== null && this.method !== "GET") request.body = String(body);
      this.sent = request;
      if (this.async) wire.send(request).then((answer) => this.sent === request && this.finish(answer));
      else this.finish(wire.sendSync(request));
    }

    finish(answer) {
      this.sent = null;
      this.status = answer.status;
      this.answer = answer.headers || [];
      this.statusText = answer.statusText || "";
      this.responseURL = answer.url || "";
      this.responseText = this.response = answer.body || "";
      if (answer.error === undefined) {
        this.turn(2);
        this.turn(3);
      }
      this.turn(4);
      this.fire(answer.error === undefined ? "load" : "error");
      this.fire("loadend");
    }

    abort() {
      const pending = this.sent !== null;
      this.sent = null;
      this.status = 0;
      if (pending) {
        this.turn(4);
        this.fire("abort");
        this.fire("loadend");
      }
      this.readyState = 0;
    }

    getResponseHeader(name) {
      const values = [];
      for (let i = 0; i < this.answer.length; i += 2) {
        const known = this.answer[i].toLowerCase();
        if (known === String(name).toLowerCase() && !known.startsWith("set-cookie"))
          values.push(this.answer[i + 1]);
      }
      return values.length ? values.join(", ") : null;
    }

    getAllResponseHeaders() {
      let text = "";
      for (let i = 0; i < this.answer.length; i += 2) {
        text += `${this.answer[i].toLowerCase()}: ${this.answer[i + 1]}\r\n`;
      }
      return text;
    }

    overrideMimeType() {}
  };
}

module.exports = { makeXMLHttpRequest };
