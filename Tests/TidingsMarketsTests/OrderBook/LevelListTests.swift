import Foundation
import Testing
import TidingsSimulation

@testable import Tidings
@testable import TidingsMarkets

@Suite struct LevelListTests {
    private func read(_ json: String) throws -> (levels: [String], areLevels: Bool) {
        var list = LevelList()
        let areLevels = try json.withRawUTF8 { bytes throws(JSONSyntaxError) in
            var reader = JSONReader(bytes)
            let areLevels = try reader.readLevels(into: &list)
            try reader.expectEnd()
            return areLevels
        }
        return (digits((0..<list.count).map { list[$0] }), areLevels)
    }

    @Test(arguments: [
        (#"[]"#, [], true),
        (#"[["1.50","2"]]"#, ["1.50 2"], true),
        (
            #"[["61685.99000000","1.25869000"],["61685.98000000","0.04627000"]]"#,
            ["61685.99000000 1.25869000", "61685.98000000 0.04627000"], true
        ),
        (#" [ [ "1.50" , "2" , "more", {} ] , [3, 4.0] ] "#, ["1.50 2", "3 4.0"], true),
        (
            #"[["1e3","2"],["123456789012345678901234567890","1"],["1",1e-7]]"#,
            ["1e3 2", "123456789012345678901234567890 1", "1 1e-7"], true
        ),
        (#"[["1","2"],["x","2"],["3"],[],7,null,["4","-1"],["5","6"]]"#, ["1 2", "5 6"], false),
        (#"[["01","2"],["1.","2"],[".5","2"],["+1","2"],["","2"],["1","2"]]"#, ["1 2"], false),
        (#"{"not":"a list"}"#, [], false),
        (#"null"#, [], false),
    ])
    func `lists are read whatever their form`(json: String, levels: [String], areLevels: Bool) throws {
        let result = try self.read(json)
        #expect(result.levels == levels)
        #expect(result.areLevels == areLevels)
        // Far from the end of the memory, where the quick way goes.
        guard json.hasSuffix("]") else { return }
        let padded =
            String(json.dropLast()) + (levels.isEmpty ? "" : ",")
            + #"["7.000000001","8"],["7","8.000000000001"],["7","8"]]"#
        guard json.dropFirst().contains("[") else { return }
        let more = try self.read(padded)
        #expect(more.levels == levels + ["7.000000001 8", "7 8.000000000001", "7 8"])
    }

    @Test func `broken lists are refused`() {
        for json in [
            "", "[", "[[", #"[["1","2"]"#, #"[["1","2"],]"#, #"[["1","2"]["3","4"]]"#, #"[["1","2"]}"#, #"[["1" "2"]]"#,
            #"[["1","2"],,["3","4"]]"#, #"[["1","2",]]"#,
        ] {
            #expect(throws: JSONSyntaxError.self) { try self.read(json) }
            let long = #"[["1.5","2.5"],["1.5","2.5"],["1.5","2.5"],["1.5","2.5"],["1.5","2.5"],"# + json.dropFirst()
            if json.count > 1 { #expect(throws: JSONSyntaxError.self) { try self.read(long) } }
        }
    }

    @Test func `what is read in mutated lists is what a reader that knows no quick way reads`() throws {
        var random = SeededGenerator(seed: 11)
        let rounds = ProcessInfo.processInfo.environment["TIDINGS_LONG"] == nil ? 20_000 : 2_000_000
        let alphabet = Array(#"0123456789."",[]{}-+eE \x"#.utf8)
        for _ in 0..<rounds {
            var json: [UInt8] = [UInt8(ascii: "[")]
            for index in 0..<(1 + random.next() % 6) {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                let price = ExactDecimal(mantissa: Int64(random.next() % 1_000_000), scale: UInt8(random.next() % 5))
                let size = ExactDecimal(mantissa: Int64(random.next() % 1000), scale: UInt8(random.next() % 3))
                json.append(contentsOf: #"["\#(price)","\#(size)"]"#.utf8)
            }
            json.append(UInt8(ascii: "]"))
            for _ in 0..<(random.next() % 3) {
                let place = Int(random.next() % UInt64(json.count))
                switch random.next() % 3 {
                case 0: json[place] = alphabet[Int(random.next() % UInt64(alphabet.count))]
                case 1: json.remove(at: place)
                default: json.insert(alphabet[Int(random.next() % UInt64(alphabet.count))], at: place)
                }
            }
            let text = String(decoding: json, as: UTF8.self)
            // White space after the opening bracket of every level keeps the reader from the quick way.
            let slow = text.hasPrefix("[") ? "[" + text.dropFirst().replacing("[", with: "[ ") : text
            let (first, second) = (Result { try self.read(text) }, Result { try self.read(slow) })
            switch (first, second) {
            case (.success(let first), .success(let second)):
                #expect(first.levels == second.levels, "\(text)")
                #expect(first.areLevels == second.areLevels, "\(text)")
            case (.failure, .failure): break
            default: Issue.record("\(text): \(first) but \(second)")
            }
        }
    }

    @Test func `Coinbase's changes go to their sides`() throws {
        var (bids, asks) = (LevelList(), LevelList())
        let json =
            #"[["buy","1.5","2"],["sell","1.60","0.0"],["buy","1.4","3"],["hold","1","1"],["buy","1"],[1,2,3],[],5]"#
        let areChanges = try json.withRawUTF8 { bytes throws(JSONSyntaxError) in
            var reader = JSONReader(bytes)
            let areChanges = try reader.readSidedLevels(bids: &bids, asks: &asks)
            try reader.expectEnd()
            return areChanges
        }
        #expect(!areChanges)
        #expect(digits((0..<bids.count).map { bids[$0] }) == ["1.5 2", "1.4 3"])
        #expect(digits((0..<asks.count).map { asks[$0] }) == ["1.60 0.0"])
    }
}
