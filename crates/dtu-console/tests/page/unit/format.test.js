import assert from "node:assert/strict";
import { test } from "node:test";

import * as format from "../../../assets/format.js";

test("sizes", () => {
  const sizes = [0, 1023, 1024, 10_240, 1024 * 1024 - 1, 1024 * 1024, 5 * 1024 ** 3];
  assert.deepEqual(sizes.map(format.bytes), ["0 B", "1023 B", "1.0 KiB", "10 KiB", "1.0 MiB", "1.0 MiB", "5.0 GiB"]);
});

test("counts have thin spaces, which no reader takes for a decimal point", () => {
  assert.equal(format.count(1234567), "1\u202F234\u202F567");
  assert.equal(format.count(999), "999");
});

test("what is not told is no figure", () => {
  assert.equal(format.bytes(null), "\u2013");
  assert.equal(format.count(null), "\u2013");
});

test("durations have two parts at most", () => {
  assert.deepEqual(format.durationParts(0), [["s", 0]]);
  assert.deepEqual(format.durationParts(59.9), [["s", 59]]);
  assert.deepEqual(format.durationParts(3600), [["h", 1]]);
  assert.deepEqual(format.durationParts(90_061), [["d", 1], ["h", 1]]);
});

test("countdowns", () => {
  assert.deepEqual([0, -3, 5, 65, 3605].map(format.clock), ["0:00", "0:00", "0:05", "1:05", "1:00:05"]);
});

test("times tell their offset", () => {
  assert.match(format.dateTime(0), /^19(69|70)-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d$/);
  assert.match(format.timeOfDay(1), /\.001$/);
  assert.equal(format.dateTime(Number.NaN), "?");
});
