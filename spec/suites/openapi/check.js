// check.js FILE...: fails for a file that is no OpenAPI 3.1 document.
const fs = require("fs");

(async () => {
  const { Validator } = await import("@seriousme/openapi-schema-validator");
  for (const path of process.argv.slice(2)) {
    const document = JSON.parse(fs.readFileSync(path, "utf8"));
    const validator = new Validator();
    const { valid, errors } = await validator.validate(document);
    const accepted = valid && validator.version === "3.1" && Object.keys(document.paths).length > 0;
    console.log(`${path}: OpenAPI ${validator.version}, ${Object.keys(document.paths).length} paths, ` +
      `${accepted ? "valid" : "not valid"}`);
    if (!valid) console.log(JSON.stringify(errors, null, 2));
    if (!accepted) process.exitCode = 1;
  }
})();
