import Differential
import Foundation

/// The side of Penstock in comparisons with other readings of the same rules: `compare json`, or answers to lines of requests on the input.
@main
struct Compare {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        switch arguments.first {
        case "json":
            json(seed: number(arguments, 1) ?? 1, first: Int(number(arguments, 2) ?? 0), count: Int(number(arguments, 3) ?? 10_000))
        case "csv": try answer(CSVRequest.self) { $0.answer }
        case "mappings": try answer(MappingRequest.self) { $0.answer }
        default:
            FileHandle.standardError.write(Data("usage: compare json SEED FIRST COUNT | compare csv | compare mappings\n".utf8))
            exit(64)
        }
    }

    private static func number(_ arguments: ArraySlice<String>, _ index: Int) -> UInt64? {
        arguments.dropFirst(index).first.flatMap(UInt64.init)
    }

    /// One answer for each line, at once: the other side waits for it.
    private static func answer<Request: Decodable, Answer: Encodable>(_ type: Request.Type, _ body: (Request) -> Answer) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        while let line = readLine() {
            let answer = body(try JSONDecoder().decode(Request.self, from: Data(line.utf8)))
            FileHandle.standardOutput.write(try encoder.encode(answer) + Data("\n".utf8))
        }
    }

    private static func json(seed: UInt64, first: Int, count: Int) {
        let counts = JSONComparison.run(seed: seed, indices: first..<first + count)
        for difference in counts.differences { print(difference) }
        print(
            "json: \(counts.documents) documents (\(counts.refused) refused by both, \(counts.repeated) with a repeated name), \(counts.values) values, \(counts.numbers) numbers,"
                + " \(counts.slots) slots, \(counts.differences.count) differences")
        exit(counts.differences.isEmpty ? 0 : 1)
    }
}
