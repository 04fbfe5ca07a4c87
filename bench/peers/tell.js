"use strict";
// tell(units, run): runs it, prints microseconds of CPU time for a unit and the peak of the process's memory
// in KB.
const fs = require("node:fs");

async function tell(units, run) {
  const before = process.cpuUsage();
  await run();
  const used = process.cpuUsage(before);
  const peak = /VmHWM:\s*(\d+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1];
  process.stdout.write(`${((used.user + used.system) / units).toFixed(3)} ${peak}\n`);
}

module.exports = { tell };
