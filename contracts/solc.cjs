// SPDX-License-Identifier: Apache-2.0
//
// Compiles standard-JSON inputs with the solc of node_modules: a JSON list of inputs on stdin, on stdout
// {"version": ..., "outputs": [...]} in the same order. One process for all, as loading solc is the slow part.
// Exits with 3 where solc is not installed, so that a caller can tell that from a failure.

"use strict";

const fs = require("node:fs");

let solc;
try {
  solc = require("solc");
} catch (error) {
  if (error.code !== "MODULE_NOT_FOUND") throw error;
  process.exit(3);
}

const inputs = JSON.parse(fs.readFileSync(0, "utf8"));
const outputs = inputs.map((input) => JSON.parse(solc.compile(JSON.stringify(input))));
process.stdout.write(JSON.stringify({ version: solc.version(), outputs }));
