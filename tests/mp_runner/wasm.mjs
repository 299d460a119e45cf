// Runs tests/mp_runner/run.py under MicroPython for WebAssembly, whose words have 32 bits and
// whose ticks wrap at 2^30, as on an ESP32.
//
//     node wasm.mjs MICROPYTHON.MJS FOLDERS FILE NAME...
//
// FOLDERS (JSON, {folder there: folder here}) are copied into its memory; FILE is a path there.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [micropython, folders, ...test] = process.argv.slice(2);
const { loadMicroPython } = await import(micropython);
const mp = await loadMicroPython({ stdout: (line) => console.log(line), linebuffer: true });

for (const [there, here] of Object.entries(JSON.parse(folders))) {
  let path = "";
  for (const name of there.split("/").slice(1)) {
    path += "/" + name;
    if (!mp.FS.analyzePath(path).exists) mp.FS.mkdir(path);
  }
  for (const entry of readdirSync(here, { withFileTypes: true })) {
    if (entry.isFile()) mp.FS.writeFile(there + "/" + entry.name, readFileSync(join(here, entry.name)));
  }
}
const path = ["/runner", "/lib", "/firmware", ".frozen"];
try {
  mp.runPython(`import sys
sys.path[:] = ${JSON.stringify(path)}
sys.argv[:] = ${JSON.stringify(["run.py", ...test])}
exec(open("/runner/run.py").read(), {"__name__": "__main__"})`);
} catch (error) {
  console.log(error.message);
  process.exit(1);
}
