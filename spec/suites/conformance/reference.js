"use strict";
// The reference's side: reads commands, a JSON object a line, from a socket and answers each with one.
// usage: node reference.js PORT PACKAGE
//
// The reference runs in a worker, since it can fall into a loop that nothing but the worker's end stops. The
// requests are made here: the worker may wait for one as a synchronous XMLHttpRequest does, and a page that
// is gone has none.
const net = require("node:net");
const path = require("node:path");
const readline = require("node:readline");
const { Worker } = require("node:worker_threads");
const { Jar, exchange } = require("./browser.js");

const GRACE = 4000; // milliseconds that the worker has beyond what a step may take

let worker, jar, page, live = new Set(), answerTo;

function endRequests() {
  for (const request of live) request.destroy();
  live = new Set();
}

async function serveRequest(message) {
  const answer = await exchange(message.request, jar, page, live);
  if (message.port) {
    message.port.postMessage(answer);
    Atomics.store(message.flag, 0, 1);
    Atomics.notify(message.flag, 0);
  } else if (worker) {
    worker.postMessage({ answer, id: message.id });
  }
}

function startWorker() {
  const started = new Worker(path.join(__dirname, "page.js"), { workerData: { library: process.argv[3] } });
  started.on("message", (message) => {
    if (started !== worker) return;
    if (message.request) serveRequest(message);
    else if (answerTo) answerTo(message.done);
  });
  started.on("error", (error) => {
    process.stderr.write(`reference: ${error.stack}\n`);
    process.exit(1);
  });
  worker = started;
}

// The worker's answer, or "hung" when it gives none in time; then it is ended.
function command(line) {
  return new Promise((resolve) => {
    const limit = setTimeout(() => {
      const hung = worker;
      answerTo = worker = undefined;
      hung.terminate();
      resolve({ outcome: "hung", events: [], properties: {} });
    }, (line.within || 0) * 1000 + GRACE);
    answerTo = (done) => {
      clearTimeout(limit);
      answerTo = undefined;
      resolve(done);
    };
    worker.postMessage(line);
  });
}

async function obey(line) {
  if (line.do === "open") {
    endRequests();
    jar = new Jar();
    page = new URL(line.page);
    if (!worker) startWorker();
  }
  if (line.do === "refresh") endRequests();
  if (!worker) return { outcome: "hung", events: [], properties: {} };
  return command(line);
}

const socket = net.connect(Number(process.argv[2]), "127.0.0.1");
let before = Promise.resolve();
readline.createInterface({ input: socket }).on("line", (line) => {
  before = before.then(() => obey(JSON.parse(line)))
    .then((done) => socket.write(`${JSON.stringify(done)}\n`));
});
socket.on("close", () => process.exit(0));
socket.on("error", () => process.exit(1));
process.stdin.resume().on("end", () => process.exit(0)); // the runner is gone
