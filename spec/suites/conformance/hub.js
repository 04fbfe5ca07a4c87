"use strict";
// Runs programs of steps on a copy of OpenAjax's hub, and writes who heard which message.
// usage: node hub.js PATH < programs, a JSON array > results, a JSON array
//
// A program is an array of steps: ["subscribe", who, name, steps], whose callback takes the steps when it is
// first called; ["unsubscribe", who]; ["publish", name]. A result is an array of [who, name].
const fs = require("node:fs");
const vm = require("node:vm");

const source = fs.readFileSync(process.argv[2], "utf8");

function freshHub() {
  const page = vm.createContext({});
  page.window = page;
  vm.runInContext(source, page);
  return page.OpenAjax.hub;
}

function run(program) {
  const hub = freshHub(), handles = {}, heard = [];
  function take(steps) {
    for (const [what, ...words] of steps) {
      if (what === "publish") hub.publish(words[0], null);
      else if (what === "unsubscribe") end(words[0]);
      else subscribe(...words);
    }
  }
  function end(who) { // the reference raises for a handle that has ended
    if (handles[who]) hub.unsubscribe(handles[who]);
    delete handles[who];
  }
  function subscribe(who, name, steps) {
    let left = steps || [];
    handles[who] = hub.subscribe(name, (message) => {
      const now = left;
      left = [];
      heard.push([who, message]);
      take(now);
    });
  }
  take(program);
  return heard;
}

const programs = JSON.parse(fs.readFileSync(0, "utf8"));
process.stdout.write(`${JSON.stringify(programs.map(run))}\n`);
