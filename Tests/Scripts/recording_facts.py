#!/usr/bin/env python3
"""What a recorded session holds, computed without our own code: tests compare ours with it.

    python3 recording_facts.py RECORDING.jsonl

Prints one JSON object: by symbol the numbers of events that the frames make (interface.md 1, "Which frame makes which
event"), the first and the last trade and ticker, the traded volume, and the whole order book after the last frame.
Prices and sizes stay texts as they were received; sums and comparisons are decimal, never binary.
"""

import collections
import json
import sys
import zlib
from decimal import Decimal, getcontext

getcontext().prec = 60


class Number(str):
    """A JSON number by its digits."""


def parse(text):
    return json.loads(text, parse_float=Number, parse_int=Number)


class Book:
    """All levels by value; each keeps the texts it came with."""

    def __init__(self):
        self.sides = {"bids": {}, "asks": {}}
        self.told = None

    def set(self, side, price, size):
        levels = self.sides[side]
        levels.pop(Decimal(price), None)
        if Decimal(size) != 0:
            levels[Decimal(price)] = (str(price), str(size))

    def replace(self, bids, asks):
        self.sides = {"bids": {}, "asks": {}}
        for price, size in bids:
            self.set("bids", price, size)
        for price, size in asks:
            self.set("asks", price, size)

    def best(self, side, count=None):
        prices = sorted(self.sides[side], reverse=side == "bids")[:count]
        return [self.sides[side][price] for price in prices]

    def cut(self, depth):
        for side in self.sides:
            for price in sorted(self.sides[side], reverse=side == "bids")[depth:]:
                del self.sides[side][price]

    def differs(self):
        """Whether the best 20 levels have other prices or sizes than when this was asked last."""
        best = [[(Decimal(p), Decimal(s)) for p, s in self.best(side, 20)] for side in ("bids", "asks")]
        changed = best != (self.told or [[], []])
        self.told = best
        return changed

    def checksum(self):
        """Kraken: ten best asks, ten best bids, digits without point and leading zeros."""
        text = "".join(
            number.replace(".", "").lstrip("0")
            for side in ("asks", "bids")
            for level in self.best(side, 10)
            for number in level
        )
        return zlib.crc32(text.encode())


class Market:
    def __init__(self):
        self.venue_symbol = None
        self.counts = collections.Counter()
        self.trades = []
        self.tickers = []
        self.seen = set()
        self.book = Book()
        self.explained = collections.Counter()

    def trade(self, number, price, size, taker):
        if number in self.seen:
            return
        self.seen.add(number)
        self.counts["trade"] += 1
        self.trades.append((str(price), str(size), taker))

    def ticker(self, **fields):
        self.counts["ticker"] += 1
        self.tickers.append({name: str(value) for name, value in fields.items() if value is not None})

    def book_frame(self):
        if self.book.differs():
            self.counts["order_book"] += 1

    def facts(self):
        bought = sum((Decimal(size) for _, size, taker in self.trades if taker == "buy"), Decimal(0))
        volume = sum((Decimal(size) for _, size, _ in self.trades), Decimal(0))
        facts = {
            "venue_symbol": self.venue_symbol,
            "counts": dict(self.counts),
            "volume": format(volume, "f"),
            "bought": format(bought, "f"),
            "bids": self.book.best("bids"),
            "asks": self.book.best("asks"),
        }
        if self.trades:
            facts["first_trade"], facts["last_trade"] = self.trades[0], self.trades[-1]
        if self.tickers:
            facts["first_ticker"], facts["last_ticker"] = self.tickers[0], self.tickers[-1]
        if self.explained:
            facts["updates"] = dict(self.explained)
        return facts


def hyperliquid(lines, markets):
    newest = {}
    for line in lines:
        if line["kind"] != "received":
            continue
        frame = parse(line["text"])
        data = frame.get("data")
        if frame["channel"] == "trades":
            for fill in data:
                market = markets[fill["coin"] + "-USD"]
                market.venue_symbol = fill["coin"]
                taker = {"B": "buy", "A": "sell"}[fill["side"]]
                market.trade((fill["time"], fill["tid"]), fill["px"], fill["sz"], taker)
        elif frame["channel"] == "l2Book":
            market = markets[data["coin"] + "-USD"]
            market.venue_symbol = data["coin"]
            if int(data["time"]) <= newest.get(data["coin"], -1):
                continue
            newest[data["coin"]] = int(data["time"])
            market.book.replace(*([(level["px"], level["sz"]) for level in side] for side in data["levels"]))
            market.book_frame()


def binance_symbol(name):
    for quote in ("USDT", "ETH", "BTC", "EUR"):
        if name.endswith(quote):
            return f"{name[: -len(quote)]}-{quote}"
    raise ValueError(name)


def binance(lines, markets):
    """Updates wait for the snapshot; those up to its number are dropped, the first must straddle it.

    Where a symbol has no snapshot in the recording an empty one stands for it, one before the first update.
    """
    with_snapshot = {url_symbol(line["url"]) for line in lines if line["kind"] == "response"}
    last, waiting = {}, collections.defaultdict(list)
    has_trades = set()

    def update(symbol, data):
        market = markets[binance_symbol(symbol)]
        first, end = int(data["U"]), int(data["u"])
        if symbol not in last and symbol not in with_snapshot:
            last[symbol] = first - 1
        if symbol not in last:
            waiting[symbol].append(data)
            return
        if end <= last[symbol]:
            market.explained["in the snapshot already"] += 1
            return
        if first > last[symbol] + 1:
            raise ValueError(f"{symbol}: {first} follows {last[symbol]}")
        for side, key in (("bids", "b"), ("asks", "a")):
            for price, size in data[key]:
                market.book.set(side, price, size)
        last[symbol] = end
        market.explained["applied"] += 1
        market.book_frame()

    for line in lines:
        if line["kind"] == "response":
            symbol, data = url_symbol(line["url"]), parse(line["text"])
            market = markets[binance_symbol(symbol)]
            market.book.replace(data["bids"], data["asks"])
            last[symbol] = int(data["lastUpdateId"])
            market.book_frame()
            for waited in waiting.pop(symbol, []):
                update(symbol, waited)
            continue
        if line["kind"] != "received":
            continue
        frame = parse(line["text"])
        stream, data = frame["stream"], frame["data"]
        symbol = data["s"]
        market = markets[binance_symbol(symbol)]
        market.venue_symbol = symbol
        kind = data.get("e")
        if kind == "depthUpdate":
            update(symbol, data)
        elif kind == "trade" or (kind == "aggTrade" and symbol not in has_trades):
            if kind == "trade":
                has_trades.add(symbol)
            taker = "sell" if data["m"] else "buy"
            market.trade((kind, data["t" if kind == "trade" else "a"]), data["p"], data["q"], taker)
        elif kind == "kline":
            market.counts["ohlcv"] += 1
        elif "@bookTicker" in stream:
            market.ticker(bid=data["b"], bid_volume=data["B"], ask=data["a"], ask_volume=data["A"])
    for symbol, rest in waiting.items():
        markets[binance_symbol(symbol)].explained["no snapshot"] += len(rest)


def url_symbol(url):
    return url.split("symbol=")[1].split("&")[0]


def coinbase(lines, markets):
    for line in lines:
        if line["kind"] != "received":
            continue
        frame = parse(line["text"])
        kind = frame["type"]
        if kind == "subscriptions":
            continue
        market = markets[frame["product_id"]]
        market.venue_symbol = frame["product_id"]
        if kind in ("match", "last_match"):
            # The side is the maker's.
            market.trade(frame["trade_id"], frame["price"], frame["size"], {"buy": "sell", "sell": "buy"}[frame["side"]])
        elif kind == "ticker":
            market.ticker(
                price=frame["price"], volume=frame["volume_24h"], bid=frame["best_bid"], ask=frame["best_ask"])
        elif kind == "snapshot":
            market.book.replace(frame["bids"], frame["asks"])
            market.book_frame()
        elif kind == "l2update":
            for side, price, size in frame["changes"]:
                market.book.set({"buy": "bids", "sell": "asks"}[side], price, size)
            market.book_frame()


def kraken(lines, markets):
    depth = {}

    def symbol(name):
        base, quote = ("BTC" if part == "XBT" else part for part in name.split("/"))
        return f"{base}-{quote}"

    for line in lines:
        if line["kind"] != "received":
            continue
        frame = parse(line["text"])
        if frame.get("method") == "subscribe":
            result = frame["result"]
            if result["channel"] == "book":
                depth[result["symbol"]] = int(result["depth"])
        for data in frame.get("data", []) if isinstance(frame.get("data"), list) else []:
            if frame["channel"] == "status":
                continue
            market = markets[symbol(data["symbol"])]
            market.venue_symbol = data["symbol"]
            if frame["channel"] == "trade":
                market.trade(data["trade_id"], data["price"], data["qty"], data["side"])
            elif frame["channel"] == "ticker":
                market.ticker(
                    price=data["last"], volume=data["volume"], bid=data["bid"], bid_volume=data["bid_qty"],
                    ask=data["ask"], ask_volume=data["ask_qty"])
            elif frame["channel"] == "book":
                if frame["type"] == "snapshot":
                    market.book.replace(*([(level["price"], level["qty"]) for level in data[side]]
                                          for side in ("bids", "asks")))
                else:
                    for side in ("bids", "asks"):
                        for level in data[side]:
                            market.book.set(side, level["price"], level["qty"])
                market.book.cut(depth[data["symbol"]])
                matches = market.book.checksum() == int(data["checksum"])
                market.explained["checksum matches" if matches else "checksum differs"] += 1
                market.book_frame()


def main(path):
    with open(path, encoding="utf-8") as file:
        header, *lines = (json.loads(line) for line in file)
    markets = collections.defaultdict(Market)
    {"hyperliquid": hyperliquid, "binance": binance, "coinbase": coinbase, "kraken": kraken}[header["venue"]](
        lines, markets)
    markets = {symbol: market.facts() for symbol, market in sorted(markets.items())}
    print(json.dumps({"venue": header["venue"], "frames": len(lines), "markets": markets}))


if __name__ == "__main__":
    main(sys.argv[1])
