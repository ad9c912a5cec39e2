"""QGIS without a window, asked what a person asks of it; run by the Python that has its bindings, not by ours.

``/usr/bin/python3 qgis_reader.py ADDRESS TOKEN FOLDER`` prints what it saw as one line of JSON, and leaves pictures.
"""

import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsAuthMethodConfig,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsDataItem,
    QgsFeatureRequest,
    QgsMapBoxGlStyleConverter,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsRectangle,
    QgsSettings,
    QgsSymbol,
    QgsVectorDataProvider,
    QgsVectorLayer,
    QgsVectorTileLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

NAME = "wangge"
WIDTH, HEIGHT = 640, 480
LONLAT = QgsCoordinateReferenceSystem("EPSG:4326")
WEB = QgsCoordinateReferenceSystem("EPSG:3857")


def signed_in(token):
    """Return the id of an authentication that gives the token as a password, the way QGIS 3.22 knows."""
    manager = QgsApplication.authManager()
    manager.setMasterPassword("of this run alone", verify=True)
    config = QgsAuthMethodConfig("Basic")
    config.setName(NAME)
    for key, value in (("username", "token"), ("password", token), ("realm", "")):
        config.setConfig(key, value)
    manager.storeAuthenticationConfig(config)
    return config.id()


def listed(address, auth):
    """Return the layers that the browser panel lists below a connection."""
    settings = QgsSettings()
    settings.setValue(f"qgis/connections-wfs/{NAME}/url", address)
    settings.setValue(f"qgis/connections-wfs/{NAME}/version", "OGC_API_FEATURES")
    settings.setValue(f"qgis/WFS/{NAME}/authcfg", auth)
    provider = next(p for p in QgsApplication.dataItemProviderRegistry().providers() if p.name() == "WFS")
    root = provider.createDataItem("", None)
    connection = next(item for item in root.createChildren() if item.name() == NAME)
    found = [item for item in connection.createChildren() if item.type() == QgsDataItem.Layer]
    return sorted(re.search(r"typename='([^']*)'", item.uri()).group(1) for item in found)


def features(address, auth, name):
    """Return a layer over OGC API Features."""
    layer = QgsVectorLayer(f"url='{address}/' typename='{name}' authcfg={auth}", name, "OAPIF")
    if not layer.isValid():
        raise SystemExit(f"{name}: {layer.error().message()}")
    return layer


def picture(layers, path, box, crs):
    """Render layers, and return how many pixels are not background, and of how many colours they are."""
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(crs)
    settings.setExtent(box)
    settings.setOutputSize(QSize(WIDTH, HEIGHT))
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(str(path))
    pixels = [image.pixel(x, y) for x in range(0, WIDTH, 2) for y in range(0, HEIGHT, 2)]
    drawn = [pixel for pixel in pixels if pixel != QColor("white").rgb()]
    colours = {f"#{pixel & 0xFFFFFF:06x}" for pixel in drawn}
    return {"drawn_share": len(drawn) / len(pixels), "colours": sorted(colours)[:4000]}


def tiles(address, token, auth, name):
    """Return our vector tiles in our own style, as QGIS converts it."""
    query = urlencode(
        {
            "type": "xyz",
            "url": f"{address}/collections/{name}/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}",
            "zmin": 0,
            "zmax": 16,
            "authcfg": auth,
        },
        quote_via=quote,
    )
    layer = QgsVectorTileLayer(query, name)
    request = Request(f"{address}/styles/{name}", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with urlopen(request, timeout=30) as answer:  # noqa: S310 - a server of the test
        style = json.load(answer)
    converter = QgsMapBoxGlStyleConverter()
    if converter.convert(style) != QgsMapBoxGlStyleConverter.Success:
        raise SystemExit(f"the style of {name}: {converter.errorMessage()}")
    renderer = converter.renderer()
    styles = renderer.styles()
    for one in styles:
        # 3.22 does not understand sizes that grow with zoom and count together, and takes 0; a person sets one too.
        if one.symbol() is not None and one.symbol().type() == QgsSymbol.Marker and one.symbol().size() == 0:
            one.symbol().setSize(8)
    renderer.setStyles(styles)
    layer.setRenderer(renderer)
    layer.setLabeling(converter.labeling())
    return layer


def main(address, token, folder):
    auth = signed_in(token)
    incidents, grids = features(address, auth, "incidents"), features(address, auth, "grids")
    thefts = list(incidents.getFeatures(QgsFeatureRequest().setFilterExpression("category = 'theft'")))
    corner = QgsRectangle(120.601, 31.281, 120.605, 31.285)
    box = grids.extent()
    web = QgsCoordinateTransform(LONLAT, WEB, QgsProject.instance()).transformBoundingBox(box)
    first = next(incidents.getFeatures())
    editing = QgsVectorDataProvider.AddFeatures | QgsVectorDataProvider.ChangeAttributeValues
    return {
        "version": Qgis.QGIS_VERSION,
        "listed": listed(address, auth),
        "fields": {layer.name(): [field.name() for field in layer.fields()] for layer in (incidents, grids)},
        "counts": {layer.name(): layer.featureCount() for layer in (incidents, grids)},
        "read": {layer.name(): sum(1 for _ in layer.getFeatures()) for layer in (incidents, grids)},
        "crs": {layer.name(): layer.crs().authid() for layer in (incidents, grids)},
        "extent": [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()],
        "first": {
            "category": first["category"],
            "occurred_at": first["occurred_at"].toUTC().toString("yyyy-MM-ddThh:mm:ssZ"),
            "lonlat": [first.geometry().asPoint().x(), first.geometry().asPoint().y()],
        },
        "names": sorted(feature["name_zh"] for feature in grids.getFeatures()),
        "thefts": len(thefts),
        "in_corner": sum(1 for _ in grids.getFeatures(QgsFeatureRequest(corner))),
        "edits": bool(incidents.dataProvider().capabilities() & editing),
        "features_picture": picture([incidents, grids], folder / "features.png", box, LONLAT),
        "tiles_pictures": {
            name: picture([tiles(address, token, auth, name)], folder / f"{name}-tiles.png", web, WEB)
            for name in ("incidents", "grids")
        },
    }


if __name__ == "__main__":
    QgsApplication.setPrefixPath("/usr", useDefaultPaths=True)
    application = QgsApplication([], GUIenabled=False)
    application.initQgis()
    saw = main(sys.argv[1].rstrip("/"), sys.argv[2], Path(sys.argv[3]))
    print("SAW " + json.dumps(saw, ensure_ascii=False), flush=True)  # noqa: T201 - the test reads it
    # Its libraries are not taken down: some abort when Python ends before them.
    os._exit(0)
