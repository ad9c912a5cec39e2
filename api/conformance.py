"""The conformance classes this server keeps; each has a test in ``tests/api``."""

from __future__ import annotations

from typing import Final

_SPEC: Final = "http://www.opengis.net/spec/"

CLASSES: Final = tuple(
    _SPEC + name
    for name in (
        "ogcapi-common-1/1.0/conf/core",
        "ogcapi-common-1/1.0/conf/landing-page",
        "ogcapi-common-1/1.0/conf/json",
        "ogcapi-common-1/1.0/conf/html",
        "ogcapi-common-1/1.0/conf/oas30",
        "ogcapi-common-2/1.0/conf/collections",
        "ogcapi-features-1/1.0/conf/core",
        "ogcapi-features-1/1.0/conf/oas30",
        "ogcapi-features-1/1.0/conf/html",
        "ogcapi-features-1/1.0/conf/geojson",
        "ogcapi-features-2/1.0/conf/crs",
        "ogcapi-features-3/1.0/conf/filter",
        "ogcapi-features-3/1.0/conf/features-filter",
        "ogcapi-features-3/1.0/conf/queryables",
        "ogcapi-features-3/1.0/conf/queryables-query-parameters",
        "ogcapi-features-4/1.0/conf/create-replace-delete",
        "ogcapi-features-4/1.0/conf/update",
        "ogcapi-features-4/1.0/conf/features",
        "ogcapi-features-4/1.0/conf/optimistic-locking-etags",
        "cql2/1.0/conf/cql2-text",
        "cql2/1.0/conf/cql2-json",
        "cql2/1.0/conf/basic-cql2",
        "cql2/1.0/conf/advanced-comparison-operators",
        "cql2/1.0/conf/case-insensitive-comparison",
        "cql2/1.0/conf/basic-spatial-functions",
        "cql2/1.0/conf/basic-spatial-functions-plus",
        "cql2/1.0/conf/spatial-functions",
        "cql2/1.0/conf/temporal-functions",
        "cql2/1.0/conf/arithmetic",
        "ogcapi-tiles-1/1.0/conf/core",
        "ogcapi-tiles-1/1.0/conf/tileset",
        "ogcapi-tiles-1/1.0/conf/tilesets-list",
        "ogcapi-tiles-1/1.0/conf/geodata-tilesets",
        "ogcapi-tiles-1/1.0/conf/mvt",
        "ogcapi-processes-1/1.0/conf/core",
        "ogcapi-processes-1/1.0/conf/ogc-process-description",
        "ogcapi-processes-1/1.0/conf/json",
        "ogcapi-processes-1/1.0/conf/html",
        "ogcapi-processes-1/1.0/conf/oas30",
        "ogcapi-processes-1/1.0/conf/job-list",
        "ogcapi-processes-1/1.0/conf/dismiss",
    )
)
