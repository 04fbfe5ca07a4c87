"use strict";
// The same works with the JSDO class of Progress's own client, as floor.lua does them over lua-cjson. Prints
// a line for each work, as measure.lua does.
// usage: node jsdo.js COUNT SERVICE-URI LIBRARY
const fs = require("node:fs");
const { load, end } = require("../peers/progress.js");

const [count, uri, library] = [Number(process.argv[2]), process.argv[3], process.argv[4]];
const CHANGES = 1000;
const progress = load(uri, library);

function check(ok, what) {
  if (!ok) throw new Error(what);
}

async function measure(name, times, run) {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) await run();
  const used = process.cpuUsage(before);
  const peak = /VmHWM:\s*(\d+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1];
  process.stdout.write(`${name} ${((used.user + used.system) / 1e3 / times).toFixed(4)} ${peak}\n`);
}

async function logIn() {
  const session = new progress.data.JSDOSession({ serviceURI: uri, authenticationModel: "anonymous" });
  const { result } = await session.login();
  check(result === progress.data.Session.SUCCESS, "not logged in");
  await session.addCatalog(`${uri}/static/data.json`);
}

function sum(customers) {
  let total = 0;
  customers.foreach((record) => { total += record.data.CustNum; });
  check(total === count * (count + 1) / 2, "not the records");
}

function assign(records, limit) {
  records.forEach((record, i) => record.assign({ SalesRep: "NEW", CreditLimit: i + 1 + limit }));
}

async function save(customers, submit) {
  await customers.saveChanges(submit);
  check(!customers.hasChanges(), "changes are left");
}

async function main() {
  await logIn();
  const customers = new progress.data.JSDO({ name: "Customer" });
  await measure("fill", 1, () => customers.fill(String(count)));
  const ids = Array.from({ length: count }, (_, i) => String(i + 1));
  const records = ids.slice(0, CHANGES).map((id) => customers.findById(id));
  await measure("foreach", 10, () => sum(customers));
  await measure("find", 10, () => ids.forEach((id) => check(customers.findById(id), id)));
  await measure("assign", 1, () => assign(records, 0.25));
  await measure("submit", 1, () => save(customers, true));
  check(records[CHANGES - 1].data.CreditLimit === CHANGES + 0.5, "not the server's values");
  assign(records, 1.5);
  await measure("saves", 1, () => save(customers, false));
  check(records[CHANGES - 1].data.CreditLimit === CHANGES + 1.5, "not the server's values");
  end();
}

main().catch((error) => {
  process.stderr.write(`${error.stack || JSON.stringify(error)}\n`);
  process.exit(1);
});
