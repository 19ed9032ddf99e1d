import Foundation

/// Node's `EventEmitter`, creating and emitting events, where Node is installed.
enum NodeEmitter {
    private static let node = ["/usr/bin/node", "/usr/local/bin/node"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    static let name =
        Self.node == nil
        ? "plain loop over one closure, events created (Node is not installed)"
        : "Node's EventEmitter, events created with id and ISO time"

    /// Events a second over about so much time; `nil` without Node.
    static var rate: (@Sendable (Duration) throws -> Double)? {
        guard let node = self.node else { return nil }
        return { time in
            let process = Process()
            let output = Pipe()
            process.executableURL = URL(fileURLWithPath: node)
            process.arguments = ["-e", Self.script, "\(Int(time / .milliseconds(1)))"]
            process.standardOutput = output
            try process.run()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            guard process.terminationStatus == 0,
                let rate = Double(text.trimmingCharacters(in: .whitespacesAndNewlines))
            else { throw CommandError("node ended with \(process.terminationStatus)") }
            return rate
        }
    }

    private static let script = """
        const { EventEmitter } = require('events'), { randomUUID } = require('crypto');
        const emitter = new EventEmitter(); let sum = 0, done = 0, last = null;
        emitter.on('trade', (event) => { last = event; sum += event.priority; });
        function emit(amount) {
          for (let index = 0; index < amount; index++) {
            const now = new Date().toISOString(), id = randomUUID();
            emitter.emit('trade', { event_id: id, event_type: 'trade', timestamp: now, source: 'hyperliquid',
              payload: { symbol: 'BTC-USD', price: 50000, volume: 1.5, timestamp: now, side: 'buy',
                trade_id: '118906512037719', venue_symbol: 'BTC', instrument: 'perpetual', received_at: now },
              correlation_id: id, priority: 5 });
          }
          done += amount;
        }
        emit(20000);
        const start = process.hrtime.bigint(), before = done, time = BigInt(process.argv[1]) * 1000000n;
        while (process.hrtime.bigint() - start < time) emit(10000);
        const seconds = Number(process.hrtime.bigint() - start) / 1e9;
        if (sum !== done * 5 || last.priority !== 5) process.exit(1);
        console.log((done - before) / seconds);
        """
}
