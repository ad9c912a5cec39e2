/** Where points lie: inside an area, or how far from it. Degrees in, metres out; exact enough within a city. */

export type Position = readonly [lon: number, lat: number];

const METRES_PER_DEGREE = 111_320;

/** Whether a point lies in a polygon, holes left out; on the border, on one side only of two neighbours. */
export function isInside([lon, lat]: Position, geometry: GeoJSON.Geometry): boolean {
  if (geometry.type === "Polygon") return inRings(lon, lat, geometry.coordinates);
  if (geometry.type === "MultiPolygon") return geometry.coordinates.some((rings) => inRings(lon, lat, rings));
  if (geometry.type === "GeometryCollection") return geometry.geometries.some((part) => isInside([lon, lat], part));
  return false;
}

/** By the even-odd rule over all rings, half-open upwards. */
function inRings(lon: number, lat: number, rings: GeoJSON.Position[][]): boolean {
  let inside = false;
  for (const ring of rings) {
    for (let at = 0, before = ring.length - 1; at < ring.length; before = at, at += 1) {
      const [ax = 0, ay = 0] = ring[at] ?? [];
      const [bx = 0, by = 0] = ring[before] ?? [];
      if (ay > lat !== by > lat && lon < ((bx - ax) * (lat - ay)) / (by - ay) + ax) inside = !inside;
    }
  }
  return inside;
}

/** Metres from a point to a geometry; 0 inside an area, Infinity where there is nothing. */
export function distanceM(point: Position, geometry: GeoJSON.Geometry): number {
  if (isInside(point, geometry)) return 0;
  const [lon, lat] = point;
  const scale = Math.cos((lat * Math.PI) / 180);
  let nearest = Infinity;
  for (const line of linesOf(geometry)) {
    const at = line.map(([x = 0, y = 0]) => [(x - lon) * scale, y - lat] as const);
    at.forEach((end, index) => (nearest = Math.min(nearest, toSegment(at[index - 1] ?? end, end))));
  }
  return nearest * METRES_PER_DEGREE;
}

/** From the origin to a segment. */
function toSegment([ax, ay]: readonly [number, number], [bx, by]: readonly [number, number]): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.max(0, Math.min(1, -(ax * dx + ay * dy) / length));
  return Math.hypot(ax + along * dx, ay + along * dy);
}

function linesOf(geometry: GeoJSON.Geometry): GeoJSON.Position[][] {
  switch (geometry.type) {
    case "Point":
      return [[geometry.coordinates]];
    case "MultiPoint":
      return geometry.coordinates.map((one) => [one]);
    case "LineString":
      return [geometry.coordinates];
    case "MultiLineString":
    case "Polygon":
      return geometry.coordinates;
    case "MultiPolygon":
      return geometry.coordinates.flat();
    case "GeometryCollection":
      return geometry.geometries.flatMap(linesOf);
  }
}

/** A box widened by metres on every side. */
export function widened(
  [west, south, east, north]: [number, number, number, number],
  metres: number,
): [west: number, south: number, east: number, north: number] {
  const up = metres / METRES_PER_DEGREE;
  const across = up / Math.max(0.01, Math.cos((((south + north) / 2) * Math.PI) / 180));
  return [west - across, south - up, east + across, north + up];
}
