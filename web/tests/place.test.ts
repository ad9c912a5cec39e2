import { expect, test } from "vitest";
import { geometryIn, placeOf, sketchOf, type Corner } from "../src/form/place";

const CORNERS: Corner[] = [
  [120.61234567, 31.3],
  [120.62, 31.3],
  [120.62, 31.31],
];

test("corners give a point, a line, an area that is closed", () => {
  expect(placeOf("point", CORNERS)).toEqual({ type: "Point", coordinates: [120.612346, 31.3] });
  expect(placeOf("line", CORNERS)).toMatchObject({ type: "LineString", coordinates: [[120.612346, 31.3], [120.62, 31.3], [120.62, 31.31]] });
  const area = placeOf("area", CORNERS) as GeoJSON.Polygon;
  expect(area.coordinates[0]).toHaveLength(4);
  expect(area.coordinates[0]!.at(0)).toEqual(area.coordinates[0]!.at(-1));
});

test("too few corners are no place, but can be seen", () => {
  expect(placeOf("area", CORNERS.slice(0, 2))).toBeNull();
  expect(placeOf("line", CORNERS.slice(0, 1))).toBeNull();
  expect(sketchOf("area", CORNERS.slice(0, 2))).toMatchObject({ type: "LineString" });
  expect(sketchOf("area", CORNERS.slice(0, 1))).toMatchObject({ type: "Point" });
  expect(sketchOf("area", [])).toBeNull();
});

test.each(["", "{", "null", "[]", "{}", '{"type": "Point"}', '{"type": "Point", "coordinates": [1]}', '{"type": "Polygon", "coordinates": [[[0, "x"]]]}'])(
  "what is no geometry does not go to the map: %s",
  (text) => expect(geometryIn(text)).toBeNull(),
);

test("a geometry that is typed goes to the map", () => {
  expect(geometryIn('{"type": "Point", "coordinates": [120.6, 31.3]}')).toEqual({ type: "Point", coordinates: [120.6, 31.3] });
});
