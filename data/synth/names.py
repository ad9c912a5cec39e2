"""Invented street names, Chinese and romanised: two words and a kind of street, none used twice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

FIRST = {
    "桂": "Gui", "荷": "He", "柳": "Liu", "枫": "Feng", "莲": "Lian", "梅": "Mei", "兰": "Lan",
    "竹": "Zhu", "松": "Song", "菱": "Ling", "石": "Shi", "云": "Yun", "月": "Yue", "星": "Xing",
    "晴": "Qing", "烟": "Yan", "清": "Qing", "古": "Gu", "长": "Chang", "横": "Heng", "曲": "Qu",
    "锦": "Jin", "绣": "Xiu", "丝": "Si", "纱": "Sha", "书": "Shu", "墨": "Mo", "琴": "Qin",
    "棋": "Qi", "茶": "Cha", "米": "Mi", "盐": "Yan", "舟": "Zhou", "帆": "Fan", "鹤": "He",
    "燕": "Yan", "鱼": "Yu", "白": "Bai", "青": "Qing", "金": "Jin",
}  # fmt: skip
SECOND = {
    "塘": "tang", "桥": "qiao", "浜": "bang", "溪": "xi", "湾": "wan", "泾": "jing", "园": "yuan",
    "圃": "pu", "亭": "ting", "台": "tai", "楼": "lou", "阁": "ge", "坊": "fang", "井": "jing",
    "渡": "du", "浦": "pu", "岸": "'an", "洲": "zhou", "池": "chi", "泉": "quan", "门": "men",
    "墙": "qiang", "林": "lin", "坡": "po", "场": "chang", "市": "shi", "庭": "ting", "廊": "lang",
    "影": "ying", "香": "xiang",
}  # fmt: skip
AVENUES = {
    "人和": "Renhe", "平安": "Ping'an", "同心": "Tongxin", "和顺": "Heshun", "东吴": "Dongwu",
    "南园": "Nanyuan", "西津": "Xijin", "北塔": "Beita", "运河": "Yunhe", "江枫": "Jiangfeng",
    "太湖": "Taihu", "阳澄": "Yangcheng", "金鸡": "Jinji", "石湖": "Shihu", "独墅": "Dushu",
    "吴越": "Wuyue", "锦绣": "Jinxiu", "文渊": "Wenyuan", "丝路": "Silu", "春申": "Chunshen",
    "长桥": "Changqiao", "宝带": "Baodai", "灵岩": "Lingyan", "天平": "Tianping",
}  # fmt: skip


class RoadNames:
    """Hands out names, each once, in an order drawn from the seed."""

    def __init__(self, rng: np.random.Generator) -> None:
        words = [(a + b, x + y) for (a, x), (b, y) in itertools.product(FIRST.items(), SECOND.items()) if a != b]
        rng.shuffle(words)
        self._mains = iter(list(AVENUES.items()))
        self._words = iter(words)
        self._lanes: Iterator[tuple[str, str]] = iter(())

    def main(self) -> tuple[str, str]:
        """Return the name of a main road."""
        zh, en = next(self._mains)
        return zh + "大道", en + " Avenue"

    def secondary(self) -> tuple[str, str]:
        """Return the name of a secondary road."""
        zh, en = next(self._words)
        return zh + "路", en + " Road"

    def local(self) -> tuple[str, str]:
        """Return the name of a local street: both the street and its lane come from one pair of words."""
        for zh, en in self._lanes:
            return zh, en
        zh, en = next(self._words)
        self._lanes = iter([(zh + "巷", en + " Lane"), (zh + "弄", en + " Alley")])
        return zh + "街", en + " Street"

    def lane(self) -> tuple[str, str]:
        """Return the name of a lane that ends inside a block."""
        return self.local()
