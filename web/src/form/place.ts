/** A place pointed out corner by corner, and the GeoJSON that it stands as in its field. */

export type Shape = "point" | "line" | "area";
export const SHAPES: readonly Shape[] = ["point", "line", "area"];
export type Corner = readonly [lon: number, lat: number];

const LEAST: Record<Shape, number> = { point: 1, line: 2, area: 3 };

/** What the corners give; null while they are too few. */
export function placeOf(shape: Shape, corners: readonly Corner[]): GeoJSON.Geometry | null {
  if (corners.length < LEAST[shape]) return null;
  const places = corners.map(([lon, lat]) => [rounded(lon), rounded(lat)]);
  const [first] = places;
  switch (shape) {
    case "point":
      return { type: "Point", coordinates: first! };
    case "line":
      return { type: "LineString", coordinates: places };
    case "area":
      return { type: "Polygon", coordinates: [[...places, first!]] };
  }
}

/** The same, or of too few corners what can be seen of them. */
export function sketchOf(shape: Shape, corners: readonly Corner[]): GeoJSON.Geometry | null {
  return placeOf(shape, corners) ?? placeOf("line", corners) ?? placeOf("point", corners);
}

/** The geometry that stands in a field; null where it holds none. */
export function geometryIn(text: string): GeoJSON.Geometry | null {
  try {
    const found = JSON.parse(text) as Partial<GeoJSON.Polygon> | null;
    const isOne = typeof found?.type === "string" && Array.isArray(found.coordinates) && isDrawable(found.coordinates);
    return isOne ? (found as GeoJSON.Geometry) : null;
  } catch {
    return null;
  }
}

/** Whether coordinates are numbers to the last: the map must not be handed what the server has still to refuse. */
function isDrawable(coordinates: unknown[]): boolean {
  return (
    coordinates.length > 0 &&
    (coordinates.every((one) => typeof one === "number" && Number.isFinite(one))
      ? coordinates.length >= 2
      : coordinates.every((one) => Array.isArray(one) && isDrawable(one)))
  );
}

/** About a decimetre. */
function rounded(degrees: number): number {
  return Math.round(degrees * 1e6) / 1e6;
}
