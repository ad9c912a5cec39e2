"""The contract of a service: parameters, inputs, output, one plain function.

A file in `gis.services` declares ``SERVICE = Service(...)``; nothing else lists it. The same object is called from a
notebook (``gis.hotspots(incidents, lattice_m=300)``), by ``wangge run`` and by ``POST /processes/hotspots/execution``.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from gis.contract.digest import digest
from gis.contract.frame import FrameSpec
from gis.contract.profile import CityProfile
from gis.contract.result import InputRecord, LeftOut, Provenance, Result
from gis.contract.tells import Tells
from gis.contract.text import Text
from gis.crs import LONLAT
from gis.errors import InvalidParams, NotFound, Problem

PROFILE_ATTR = "wangge_profile"
"""Key in ``frame.attrs`` under which a city's frames carry their profile, as `CityProfile.as_dict`."""


def mark(frame: gpd.GeoDataFrame, profile: CityProfile) -> None:
    """Let a frame carry its city's profile, as plain values: they outlive ``to_parquet``."""
    frame.attrs[PROFILE_ATTR] = profile.as_dict()


def profile_of(frame: gpd.GeoDataFrame) -> CityProfile | None:
    """Return the profile that a frame carries, None where it has none."""
    values = frame.attrs.get(PROFILE_ATTR)
    return CityProfile.from_dict(values) if values is not None else None


class Params(BaseModel):
    """Base of a service's parameters; each attribute's docstring is its one documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


@dataclass(frozen=True, slots=True)
class Input:
    """A frame that a service reads."""

    frame: FrameSpec
    required: bool = True


def _silent(share: float, message: str) -> None:
    """Take a progress report and do nothing with it."""


@dataclass(frozen=True, slots=True)
class Context:
    """Where a computation runs: the city's profile, and whom to tell about progress.

    Attributes
    ----------
    progress
        Called with the share done (0-1) and a short message; may raise to cancel.
    policies
        Table of ``data/policy`` -> digest, of those that the result depends on, for its provenance.
    """

    profile: CityProfile
    progress: Callable[[float, str], None] = _silent
    policies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Findings:
    """What the plain function of a service returns, in metres.

    Attributes
    ----------
    features
        In the profile's metric CRS, columns as the service's output contract says.
    used
        Frame id -> how many of its rows took part.
    """

    features: gpd.GeoDataFrame
    summary: Mapping[str, Any]
    used: Mapping[str, int]
    period: tuple[pd.Timestamp, pd.Timestamp] | None = None
    choices: Mapping[str, Any] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A frame that a computation can begin with: checked, in metres, its content named.

    Attributes
    ----------
    metric
        In the profile's metric CRS.
    digest
        Of the rows as they were given.
    """

    metric: gpd.GeoDataFrame
    digest: str


def prepare(spec: FrameSpec, frame: gpd.GeoDataFrame, profile: CityProfile) -> Prepared:
    """Check a frame by its contract and put it into metres; the same frame serves every service."""
    spec.check(frame)
    return Prepared(frame.to_crs(profile.metric_crs), digest(frame))


_NOT_SEEN_ZH = "结果会给出您看不到的位置"


@dataclass(frozen=True)
class Service:
    """A definition of something the city can compute.

    Attributes
    ----------
    card
        Two sentences for whoever reads the map: what it shows, and what it does not.
    version
        Raised when the same inputs would give another result or other columns.
    compute
        ``compute(params, context, *, incidents=..., grids=...) -> Findings``; frames come by their ids, in the
        profile's metric CRS and checked; an optional frame that is not there comes as None.
    tells
        The frames of whose single places a run tells, and with which parameters.
    policies
        The tables of ``data/policy`` that a result depends on, by the names of their files.
    """

    id: str
    version: int
    title: Text
    abstract: Text
    card: Text
    mandate: str
    params: type[Params]
    inputs: tuple[Input, ...]
    output: FrameSpec
    compute: Callable[..., Findings]
    tells: tuple[Tells, ...] = ()
    policies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "__doc__", self._documentation())
        object.__setattr__(self, "__signature__", self._signature())

    def __call__(self, *frames: gpd.GeoDataFrame, profile: CityProfile | None = None, **options: Any) -> Result:
        """Compute on frames, without a server or database.

        Parameters
        ----------
        frames
            In the order of `inputs`; any of them may be given by its id instead.
        profile
            The city; without it the frames' own (`gis.City` marks them), else UTM of the first frame.
        options
            Frames by id, and the parameters of `params`; anything unknown is refused.
        """
        given: dict[str, gpd.GeoDataFrame | None] = {i.frame.id: None for i in self.inputs}
        if len(frames) > len(self.inputs):
            raise InvalidParams(f"{self.id} takes at most {len(self.inputs)} frames: {', '.join(given)}")
        for spec, frame in zip(self.inputs, frames, strict=False):
            given[spec.frame.id] = frame
        for name in list(options):
            if name in given:
                given[name] = options.pop(name)
        return self.run(given, self.parse(options), Context(profile or _profile_of(given)))

    def told(self, parameters: Mapping[str, Any], given: Collection[str]) -> tuple[str, ...]:
        """Return the frames of whose single places a run tells that has these parameters and is given these frames."""
        return tuple(sorted({tells.frame for tells in self.tells if tells.frame in given and tells.of(parameters)}))

    def withheld(self, unseen: Collection[str]) -> tuple[str, ...]:
        """Return the frames that a run is not given where whoever asks for it does not see those of `unseen`."""
        spared = {i.frame.id for i in self.inputs if not i.required} & set(unseen)
        return tuple(sorted(spared & {tells.frame for tells in self.tells if tells.when is None}))

    def must_not_tell(self, parameters: Mapping[str, Any], unseen: Collection[str]) -> None:
        """Refuse a run that would tell of places which whoever asks for it does not see.

        Raises
        ------
        InvalidParams
            Names every parameter that asks for them.
        """
        told = self.told(parameters, set(unseen) - set(self.withheld(unseen)))
        titles = {i.frame.id: i.frame.title for i in self.inputs}
        problems = [
            Problem(
                "place_not_seen",
                f"your role does not see the places of '{titles[tells.frame].en}'",
                tells.frame if tells.when is None else tells.when[0],
                zh=f"您的角色看不到“{titles[tells.frame].zh}”的位置",
            )
            for tells in self.tells
            if tells.frame in told and tells.of(parameters)
        ]
        if problems:
            raise InvalidParams(f"{self.id}: it would tell of places that you do not see", problems, zh=_NOT_SEEN_ZH)

    def parse(self, values: Mapping[str, Any]) -> Params:
        """Return the parameters; `InvalidParams` names every wrong one."""
        try:
            return self.params.model_validate(values)
        except ValidationError as error:
            problems = [
                Problem(e["type"], e["msg"], ".".join(str(part) for part in e["loc"]))
                for e in error.errors(include_url=False, include_input=False)
            ]
            raise InvalidParams(f"{self.id}: {len(problems)} parameter problem(s)", problems) from None

    def run(self, frames: Mapping[str, gpd.GeoDataFrame | None], params: Params, context: Context) -> Result:
        """Check the frames, compute in metres, check the output, return it in EPSG:4326 with its provenance."""
        given = {
            i.frame.id: prepare(i.frame, frame, context.profile)
            for i in self.inputs
            if (frame := frames.get(i.frame.id)) is not None
        }
        return self.run_prepared(given, params, context)

    def run_prepared(self, frames: Mapping[str, Prepared], params: Params, context: Context) -> Result:
        """Compute on frames that are checked and in metres already; one that is not there is left out of `frames`.

        Raises
        ------
        InvalidParams
            A frame that the service needs is missing, or the service refuses its parameters.
        """
        absent = [
            Problem("missing_frame", f"the frame '{i.frame.id}' is needed", i.frame.id)
            for i in self.inputs
            if i.required and i.frame.id not in frames
        ]
        if absent:
            raise InvalidParams(f"{self.id}: a frame is missing", absent)
        given = {i.frame.id: frames.get(i.frame.id) for i in self.inputs}
        # A copy that shares its values: what a computation does to its frame, the next one never sees.
        metric = {name: frame and frame.metric.copy(deep=False) for name, frame in given.items()}
        findings = self.compute(params, context, **metric)
        self.output.check(findings.features)
        records = tuple(
            InputRecord(name, frame.digest, len(frame.metric), findings.used.get(name, len(frame.metric)))
            for name, frame in given.items()
            if frame is not None
        )
        provenance = Provenance(
            service=self.id,
            version=self.version,
            parameters=params.model_dump(mode="json"),
            inputs=records,
            metric_crs=context.profile.metric_crs,
            n=findings.used.get(self.inputs[0].frame.id, 0),
            period=findings.period and (findings.period[0].isoformat(), findings.period[1].isoformat()),
            choices={**findings.choices, **{f"{name}_policy": digest for name, digest in context.policies.items()}},
            left_out=findings.left_out,
            synthetic=context.profile.synthetic,
        )
        return Result(self.id, findings.features.to_crs(LONLAT), findings.summary, provenance, context.profile)

    def _documentation(self) -> str:
        lines = [self.abstract.en, "", "Parameters", "----------"]
        lines += [
            f"{i.frame.id} : GeoDataFrame{'' if i.required else ', optional'}\n    {i.frame.title.en}"
            for i in self.inputs
        ]
        for name, info in self.params.model_fields.items():
            default = "required" if info.is_required() else f"default {info.default!r}"
            lines.append(f"{name} : {default}\n    {info.description or ''}")
        return "\n".join(lines)

    def _signature(self) -> inspect.Signature:
        parameter = inspect.Parameter
        frames = [
            parameter(
                i.frame.id,
                parameter.POSITIONAL_OR_KEYWORD,
                default=parameter.empty if i.required else None,
                annotation=gpd.GeoDataFrame,
            )
            for i in self.inputs
        ]
        options = [
            parameter(
                name,
                parameter.KEYWORD_ONLY,
                default=parameter.empty if info.is_required() else info.default,
                annotation=info.annotation,
            )
            for name, info in self.params.model_fields.items()
        ]
        return inspect.Signature([*frames, *options], return_annotation=Result)


@cache
def services() -> Mapping[str, Service]:
    """Return every service of `gis.services`, id -> service, in alphabetical order."""
    package = importlib.import_module("gis.services")
    found: dict[str, Service] = {}
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        service: Service = importlib.import_module(f"gis.services.{module.name}").SERVICE
        found[service.id] = service
    return MappingProxyType(found)


def service(id_: str) -> Service:
    """Return the service called `id_`; NotFound names those there are."""
    try:
        return services()[id_]
    except KeyError:
        raise NotFound(f"no service '{id_}'; there are: {', '.join(services())}") from None


def _profile_of(frames: Mapping[str, gpd.GeoDataFrame | None]) -> CityProfile:
    present = [f for f in frames.values() if f is not None]
    for frame in present:
        if (profile := profile_of(frame)) is not None:
            return profile
    if not present:
        raise InvalidParams("no frame was given")
    if present[0].crs is None:
        # Let the frame's own contract say it in its own words.
        return CityProfile("unnamed", Text("未命名", "unnamed"), "EPSG:3857", "UTC", open_categories=True)
    utm = present[0].estimate_utm_crs()
    return CityProfile("unnamed", Text("未命名", "unnamed"), f"EPSG:{utm.to_epsg()}", "UTC", open_categories=True)
