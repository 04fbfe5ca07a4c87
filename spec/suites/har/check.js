// check.js FILE...: fails for a file that is no HAR 1.2 file.
const fs = require("fs");
const Ajv = require("ajv");
const schemas = require("har-schema");

const ajv = new Ajv({ allErrors: true, schemaId: "auto" });
ajv.addMetaSchema(require("ajv/lib/refs/json-schema-draft-06.json"));
for (const name of Object.keys(schemas)) ajv.addSchema(schemas[name]);
const validate = ajv.getSchema(schemas.har.$id);

let failed = false;
for (const path of process.argv.slice(2)) {
  const har = JSON.parse(fs.readFileSync(path, "utf8"));
  const valid = validate(har);
  console.log(`${path}: ${har.log.entries.length} entries, ${valid ? "valid" : "not valid"}`);
  if (!valid) console.log(ajv.errorsText(validate.errors, { separator: "\n" }));
  failed = failed || !valid;
}
process.exitCode = failed ? 1 : 0;
