"""Draw the picture of docs/howto/clients.md with QGIS: ``/usr/bin/python3 docs/qgis_picture.py ADDRESS TOKEN``.

Runs without a window, by the Python that has QGIS' bindings (Debian's python3-qgis). Grids and hotspots come over OGC
API Features with a token; QGIS draws them.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import (
    QgsApplication,
    QgsAuthMethodConfig,
    QgsCategorizedSymbolRenderer,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsRendererCategory,
    QgsSymbol,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

TARGET = Path(__file__).parent / "images" / "qgis.png"
SIZE = QSize(1200, 800)
METRIC = QgsCoordinateReferenceSystem("EPSG:3857")
LAYERS = ("hotspots", "grids")
"""From the top of the drawing."""


def signed_in(token: str) -> str:
    """Return the id of an authentication that gives the token as a password."""
    manager = QgsApplication.authManager()
    manager.setMasterPassword("of this run alone", verify=True)
    config = QgsAuthMethodConfig("Basic")
    config.setName("wangge")
    for key, value in (("username", "token"), ("password", token), ("realm", "")):
        config.setConfig(key, value)
    manager.storeAuthenticationConfig(config)
    return str(config.id())


def layer(address: str, auth: str, name: str) -> QgsVectorLayer:
    """Return a layer of the server."""
    found = QgsVectorLayer(f"url='{address}/' typename='{name}' authcfg={auth}", name, "OAPIF")
    if not found.isValid():
        raise SystemExit(f"{name}: {found.error().message()}")
    return found


def outline(found: QgsVectorLayer) -> None:
    """Draw areas by their border alone."""
    symbol = QgsSymbol.defaultSymbol(found.geometryType())
    symbol.symbolLayer(0).setFillColor(QColor(0, 0, 0, 0))
    symbol.symbolLayer(0).setStrokeColor(QColor("#3f6f8f"))
    found.renderer().setSymbol(symbol)


def by_class(found: QgsVectorLayer, column: str, colours: dict[str, str]) -> None:
    """Draw areas by a class of theirs."""
    categories = []
    for value, colour in colours.items():
        symbol = QgsSymbol.defaultSymbol(found.geometryType())
        symbol.setColor(QColor(colour))
        symbol.setOpacity(0.75)
        symbol.symbolLayer(0).setStrokeColor(QColor(255, 255, 255, 90))
        categories.append(QgsRendererCategory(value, symbol, value))
    found.setRenderer(QgsCategorizedSymbolRenderer(column, categories))


def main(address: str, token: str) -> None:
    """Draw the picture."""
    auth = signed_in(token)
    layers = {name: layer(address, auth, name) for name in LAYERS}
    outline(layers["grids"])
    by_class(layers["hotspots"], "significance", {"hot_99": "#b2182b", "hot_95": "#ef8a62", "hot_90": "#fddbc7"})
    settings = QgsMapSettings()
    settings.setLayers(list(layers.values()))
    settings.setDestinationCrs(METRIC)
    lonlat = QgsCoordinateReferenceSystem("EPSG:4326")
    box = QgsCoordinateTransform(lonlat, METRIC, QgsProject.instance()).transformBoundingBox(layers["grids"].extent())
    settings.setExtent(box.buffered(300))
    settings.setOutputSize(SIZE)
    settings.setBackgroundColor(QColor("#f6f4ef"))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(str(TARGET))
    print({name: one.featureCount() for name, one in layers.items()}, "->", TARGET, flush=True)


if __name__ == "__main__":
    QgsApplication.setPrefixPath("/usr", useDefaultPaths=True)
    application = QgsApplication([], GUIenabled=False)
    application.initQgis()
    main(sys.argv[1].rstrip("/"), sys.argv[2])
    # Its libraries are not taken down: some abort when Python ends before them.
    os._exit(0)
