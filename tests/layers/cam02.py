"""How different two colours look: CIECAM02 with the uniform space CAM02-UCS, and three kinds of colour blindness.

CIECAM02 as in CIE 159:2004 under sRGB's viewing conditions; CAM02-UCS after Luo, Cui and Li (2006); colour blindness
after Machado, Oliveira and Fernandes (2009), severity 100.
"""

from itertools import combinations

import numpy as np

WHITE = np.array([95.047, 100.0, 108.883])
LA, YB = 64 / np.pi / 5, 20.0
F, C, NC = 1.0, 0.69, 1.0  # average surround
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
CAT02 = np.array([[0.7328, 0.4296, -0.1624], [-0.7036, 1.6975, 0.0061], [0.0030, 0.0136, 0.9834]])
HPE = np.array([[0.38971, 0.68898, -0.07868], [-0.22981, 1.18340, 0.04641], [0.0, 0.0, 1.0]])
SIGHTS = {
    "normal": np.eye(3),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def linear_rgb(colour: str) -> np.ndarray:
    """Return linear RGB (3,) of ``#rrggbb``."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def cam02ucs(rgb: np.ndarray) -> np.ndarray:
    """Return J', a', b' (3,) of linear RGB."""
    k = 1 / (5 * LA + 1)
    fl = 0.2 * k**4 * 5 * LA + 0.1 * (1 - k**4) ** 2 * (5 * LA) ** (1 / 3)
    n = YB / WHITE[1]
    nbb = 0.725 * (1 / n) ** 0.2
    z = 1.48 + np.sqrt(n)
    degree = F * (1 - (1 / 3.6) * np.exp((-LA - 42) / 92))
    white_rgb = CAT02 @ WHITE

    def cones(xyz: np.ndarray) -> np.ndarray:
        adapted = (WHITE[1] * degree / white_rgb + 1 - degree) * (CAT02 @ xyz)
        response = HPE @ np.linalg.inv(CAT02) @ adapted
        squeezed = (fl * np.abs(response) / 100) ** 0.42
        return np.sign(response) * 400 * squeezed / (27.13 + squeezed) + 0.1

    def achromatic(c: np.ndarray) -> float:
        return (2 * c[0] + c[1] + c[2] / 20 - 0.305) * nbb

    c = cones(100 * TO_XYZ @ rgb)
    a, b = c[0] - 12 * c[1] / 11 + c[2] / 11, (c[0] + c[1] - 2 * c[2]) / 9
    hue = np.arctan2(b, a)
    lightness = 100 * (max(achromatic(c), 0) / achromatic(cones(WHITE))) ** (C * z)
    eccentricity = (np.cos(hue + 2) + 3.8) / 4
    t = 50000 / 13 * NC * nbb * eccentricity * np.hypot(a, b) / (c[0] + c[1] + 1.05 * c[2])
    chroma = t**0.9 * np.sqrt(lightness / 100) * (1.64 - 0.29**n) ** 0.73
    colourfulness = np.log(1 + 0.0228 * chroma * fl**0.25) / 0.0228
    return np.array(
        [1.7 * lightness / (1 + 0.007 * lightness), *(colourfulness * np.array([np.cos(hue), np.sin(hue)]))]
    )


def seen(colour: str, sight: str) -> np.ndarray:
    """Return the place (3,) in CAM02-UCS at which someone of that sight sees the colour."""
    return cam02ucs(np.clip(SIGHTS[sight] @ linear_rgb(colour), 0, 1))


def least_difference(colours: list[str], sight: str) -> float:
    """Return the least delta-E between any two of the colours."""
    places = [seen(colour, sight) for colour in colours]
    return min(float(np.linalg.norm(p - q)) for p, q in combinations(places, 2))
