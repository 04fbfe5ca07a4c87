"use strict";
// The data objects of a page: the steps that name them, and what each step told, in a form that JSON can
// carry. null is told as "(null)", since the runner's JSON has no other way to keep it.

const EVENTS = ["beforeFill", "afterFill", "beforeSaveChanges", "afterSaveChanges", "beforeCreate",
  "afterCreate", "beforeUpdate", "afterUpdate", "beforeDelete", "afterDelete"];

// Keys for the exchange with the server, and those that the reference keeps in a record for itself.
const OWN = ["_id", "_index", "_rejected", "prods:id", "prods:clientId", "prods:rowState", "prods:hasErrors",
  "prods:rejected"];

class DataSteps {
  constructor(page) {
    this.page = page;
    this.data = page.progress.data;
    this.jsdos = {};
  }

  // ---- what a case may name

  // "j", "j.ttCustomer", "j.ttCustomer.record"
  resolve(path) {
    return path.split(".").reduce((object, name) => object[name], this.page.objects);
  }

  // A record as an event tells it: its first field.
  brief(record) {
    const { data, _tableRef } = record;
    return `${_tableRef._name || "record"} ${data[_tableRef._schema[0].name]}`;
  }

  // An argument of an event.
  told(value, given) {
    if (typeof value === "boolean") return String(value);
    if (value instanceof this.data.JSRecord) return this.brief(value);
    if (value instanceof this.data.JSDO) return this.label(value) || "a jsdo";
    if (value && typeof value === "object") {
      return given.requests ? `JSON ${JSON.stringify(this.request(value))}` : "request";
    }
    return String(value);
  }

  listener(given) {
    const { page } = this;
    const known = page.handlers[`data ${given.$listener}`];
    if (known) return known;
    const mine = this;
    function listener(...args) {
      const scope = Object.keys(page.scopes).find((name) => page.scopes[name] === this);
      const texts = args.map((value) => mine.told(value, given));
      page.events.push(`${given.$listener}: ${texts.join(", ")}${scope ? ` in ${scope}` : ""}`);
      if (given.throws) throw new Error("from a listener");
      if (given.sets) args[1].assign({ ...given.sets });
      return given.returns;
    }
    page.handlers[`data ${given.$listener}`] = listener;
    return listener;
  }

  // The test `record.field <operator> value`.
  test({ $where: [field, operator, value] }) {
    const tests = {
      "=": (found) => found === value, "<": (found) => found < value, ">": (found) => found > value,
    };
    return (record) => tests[operator](record.data[field]);
  }

  // A function of foreach and find: notes a field, gives what it shall.
  noter({ $notes: [field, last], gives }) {
    return (record) => {
      const value = record.data[field];
      this.page.events.push(`each ${value === null || value === undefined ? "null" : value}`);
      return value === last ? this.page.argument(gives) : undefined;
    };
  }

  plugin({ $plugin: { request, response } }) {
    const plugin = {};
    if (request) {
      plugin.requestMapping = (jsdo, params, info) => {
        this.page.events.push(`request mapping: ${this.told(jsdo, {})}, ${info.operation}`);
        return this.page.argument(request);
      };
    }
    if (response) {
      plugin.responseMapping = (jsdo, answer, info) => {
        this.page.events.push(`response mapping: ${this.told(jsdo, {})}, ${info.operation}`);
        return this.page.argument(response);
      };
    }
    return plugin;
  }

  // The value that a case's table with a `$` stands for; undefined for other tables.
  argument(given) {
    if (given.$listener) return this.listener(given);
    if (given.$where) return this.test(given);
    if (given.$notes) return this.noter(given);
    if (given.$gives) return () => this.page.argument(given.$gives);
    if (given.$fails) return () => { throw new Error("from a function"); };
    if (given.$compares) {
      const [field, sign] = given.$compares;
      return (a, b) => {
        const [x, y] = [a.data[field], b.data[field]];
        return x < y ? -sign : x > y ? sign : 0;
      };
    }
    if (given.$plugin) return this.plugin(given);
    if (given.$path) return this.resolve(given.$path);
    return undefined;
  }

  // ---- what is told

  label(value) {
    return Object.keys(this.page.objects).find((name) => this.page.objects[name] === value);
  }

  row(record) {
    const told = {};
    for (const [name, value] of Object.entries(record || {})) {
      if (OWN.includes(name)) continue;
      const kept = this.value(value);
      if (kept !== undefined) told[name] = kept;
    }
    return told;
  }

  value(value) {
    if (value === undefined || typeof value === "function") return undefined;
    if (value === null) return "(null)";
    if (typeof value !== "object") return typeof value === "number" && isNaN(value) ? "NaN" : value;
    if (value instanceof this.data.JSRecord) return { $record: this.row(value.data) };
    if (value instanceof this.data.JSDO) return { $object: this.label(value) || "a jsdo" };
    if (value instanceof this.data.JSTableRef) return { $table: value._name };
    if (Array.isArray(value)) return value.map((one) => this.value(one) ?? "(undefined)");
    if (Object.prototype.toString.call(value) === "[object Date]") return value.toISOString();
    const told = {};
    for (const [name, one] of Object.entries(value)) {
      if (OWN.includes(name)) continue;
      const kept = this.value(one);
      if (kept !== undefined) told[name] = kept;
    }
    return told;
  }

  // `inBatch`: one of the requests of a batch, which hold the batch in their turn.
  request(request, inBatch) {
    if (!request) return undefined;
    const told = { fnName: request.fnName, operation: request.operation, success: request.success,
      async: request.async, exception: request.exception ? true : undefined };
    if (request.xhr && request.xhr.status) told.status = request.xhr.status;
    if (request.response !== undefined) told.response = this.value(request.response);
    if (request.objParam) told.objParam = this.value(request.objParam);
    if (request.jsrecord) told.record = this.row(request.jsrecord.data);
    if (request.jsrecords) told.records = request.jsrecords.map((record) => this.row(record.data));
    if (request.batch && !inBatch) {
      told.batch = (request.batch.operations || []).map((one) => this.request(one, true));
    }
    return told;
  }

  errors(list) {
    return list.map((one) => ({ type: one.type, error: one.type < -1 ? one.error : undefined,
      errorNum: one.errorNum, id: one.id, responseText: one.responseText || undefined }));
  }

  // The outcome of a call's promise.
  settled(outcome, object) {
    if (typeof object !== "object" || object === null || !("success" in object)) return { outcome };
    const { success, request, info, jsdo } = object;
    return { outcome, data: { success, jsdo: this.label(jsdo), request: this.request(request),
      error: info ? Boolean(info.errorObject) : undefined } };
  }

  changes(table) {
    const told = [];
    const before = table._beforeImage;
    const rowOf = (id) => this.row(table._data[table._index[id].index]);
    for (const id of table._added) {
      if (table._index[id]) told.push({ state: "created", row: rowOf(id) });
    }
    for (const id of Object.keys(table._changed)) {
      if (table._index[id]) told.push({ state: "modified", row: rowOf(id), before: this.row(before[id]) });
    }
    for (const record of table._deleted) {
      const old = before[record.data._id];
      told.push({ state: "deleted", before: old ? this.row(old) : undefined });
    }
    return told;
  }

  // Memory as it is, without a call that would move a working record.
  memory() {
    const all = {};
    for (const [name, jsdo] of Object.entries(this.jsdos)) {
      const tables = {};
      for (const table of Object.values(jsdo._buffers)) {
        tables[table._name || "records"] = {
          rows: table._data.filter((record) => record).map((record) => this.row(record)),
          changes: this.changes(table),
          working: table.record ? this.row(table.record.data) : undefined,
          errors: this.errors(table._lastErrors),
        };
      }
      all[name] = tables;
    }
    return all;
  }

  // ---- steps

  make(step, args) {
    const jsdo = new this.data.JSDO(...args);
    this.page.objects[step.as] = this.jsdos[step.as] = jsdo;
    return jsdo;
  }

  // Listens to every event of the object under the event's name.
  listen(step, object) {
    const prefix = step.on === "j" ? "" : `${step.on}.`;
    for (const event of EVENTS) {
      object.subscribe(event, this.listener({ $listener: `${prefix}${event}`, ...step.args[0] }));
    }
  }

  call(step) {
    const args = step.args.map((value) => this.page.argument(value));
    if (step.verb === "JSDO") return this.make(step, args);
    if (step.verb === "constant") return this.data.JSDO[args[0]];
    if (step.verb === "addPlugin") return this.data.PluginManager.addPlugin(...args);
    const object = this.resolve(step.on);
    switch (step.verb) {
      case "get": return object[args[0]];
      case "set": object[args[0]] = args[1]; return undefined;
      case "field": return object.data[args[0]];
      case "listen": return this.listen(step, object);
      case "operation": return object.invoke(...args);
      default: return object[step.verb](...args);
    }
  }

  begin(step) {
    try {
      const value = this.call(step);
      if (value && typeof value.then === "function") {
        value.then(() => {}, () => {});
        return { promise: value };
      }
      if (step.as && step.verb !== "JSDO") this.page.objects[step.as] = value;
      const told = step.verb === "getErrors" ? this.errors(value) : this.value(value);
      return { told: { outcome: "returned", value: { told } } };
    } catch (error) {
      return { told: { outcome: "raised", text: String(error && error.message) } };
    }
  }
}

module.exports = { DataSteps };
