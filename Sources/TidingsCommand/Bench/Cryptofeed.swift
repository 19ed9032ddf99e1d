import Foundation

/// cryptofeed (https://pypi.org/project/cryptofeed), the feed handler that Python programs use, in an environment that
/// `make bench-reference` makes.
struct Cryptofeed: Sendable {
    private let python: String

    /// Where it is: `.build/cryptofeed` below the working folder or above the program; `nil` where it has not been made.
    static func found() -> Cryptofeed? {
        var folders = [FileManager.default.currentDirectoryPath]
        var folder = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
        for _ in 0..<6 {
            folders.append(folder.path)
            folder = folder.deletingLastPathComponent()
        }
        return folders.lazy.map { $0 + "/.build/cryptofeed/bin/python" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
            .map { Cryptofeed(python: $0) }
    }

    /// What is measured. Only Binance's frames are in a shape that its handlers read: those of Coinbase are for Advanced
    /// Trade, those of Kraken for the first version of its feed, and Hyperliquid has none.
    static func name(_ cryptofeed: Cryptofeed?, venue: String) -> String {
        guard cryptofeed != nil else { return "none (cryptofeed is not there; make bench-reference gets it)" }
        return venue == "binance"
            ? "cryptofeed's Binance handler, same frames" : "cryptofeed's JSON parser alone, same frames"
    }

    /// Frames a second over about so much time.
    func rate(recording: String, _ time: Duration) throws -> Double {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: self.python)
        process.arguments = ["-c", Self.script, recording, "\(time / .seconds(1))"]
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0, let rate = Double(text.trimmingCharacters(in: .whitespacesAndNewlines))
        else { throw CommandError("cryptofeed ended with \(process.terminationStatus)") }
        return rate
    }

    /// Gives every frame to the handler as cryptofeed's own playback does, with callbacks that count. What is answered
    /// over HTTP comes from memory.
    private static let script = """
        import asyncio, functools, json, logging, sys, time
        from collections import Counter

        logging.disable(logging.CRITICAL)
        path, seconds = sys.argv[1], float(sys.argv[2])
        with open(path, encoding='utf-8') as file:
            header, *lines = (json.loads(line) for line in file)
        frames = [(line['text'], float(line['t'])) for line in lines if line['kind'] == 'received']

        def binance():
            from cryptofeed.connection import HTTPAsyncConn, HTTPSync
            from cryptofeed.defines import CANDLES, L2_BOOK, TICKER, TRADES
            from cryptofeed.exchanges import Binance

            def symbol_of(url):
                return url.split('symbol=')[1].split('&')[0]

            def parts(symbol):
                quote = next(q for q in ('USDT', 'USDC', 'USD', 'EUR', 'BTC', 'ETH') if symbol.endswith(q))
                return symbol[:-len(quote)], quote

            books = {symbol_of(line['url']): line['text'] for line in lines if line['kind'] == 'response'}
            first, symbols = {}, set()
            # Its handler does not take answers to subscriptions.
            frames[:] = [(text, received) for text, received in frames if 'stream' in json.loads(text)]
            for text, _ in frames:
                data = json.loads(text).get('data', {})
                if 's' in data: symbols.add(data['s'])
                if data.get('e') == 'depthUpdate': first.setdefault(data['s'], data['U'])

            async def read(self, url, **kwargs):
                symbol = symbol_of(url)
                return books.get(symbol) or json.dumps({'lastUpdateId': first[symbol] - 1, 'bids': [], 'asks': []})

            HTTPAsyncConn.read = read
            HTTPSync.read = lambda self, *args, **kwargs: {'symbols': [
                {'symbol': s, 'status': 'TRADING', 'baseAsset': parts(s)[0], 'quoteAsset': parts(s)[1],
                 'filters': [{'tickSize': '0.00000001'}]} for s in symbols]}
            channels, events = (L2_BOOK, TICKER, TRADES, CANDLES), Counter()

            async def callback(data, receipt, kind):
                events[kind] += 1

            async def play():
                feed = Binance(
                    candle_closed_only=False, symbols=['-'.join(parts(s)) for s in symbols], channels=list(channels),
                    callbacks={kind: functools.partial(callback, kind=kind) for kind in channels})
                feed._connect_rest()
                start = time.perf_counter()
                for text, received in frames:
                    await feed.message_handler(text, None, received)
                elapsed = time.perf_counter() - start
                if not (events[L2_BOOK] and events[TICKER]): sys.exit('cryptofeed made no events')
                return elapsed

            return play

        def parser():
            from decimal import Decimal
            from yapic import json as yapic

            async def play():
                start = time.perf_counter()
                for text, _ in frames: yapic.loads(text, parse_float=Decimal)
                return time.perf_counter() - start

            return play

        async def main():
            play = binance() if header['venue'] == 'binance' else parser()
            await play()
            total, done = 0.0, 0
            while total < seconds:
                total += await play()
                done += len(frames)
            print(done / total)

        asyncio.run(main())
        """
}
