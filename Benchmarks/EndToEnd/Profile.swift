import Foundation

/// Counts under valgrind. A count over one backlog holds the start-up too; the difference between two backlogs holds the messages alone.
extension Stage {
    /// Instructions that the ingester's process executes for one message, libpq and the C library included.
    func instructionsAMessage() throws -> Double {
        try perMessage { messages in
            let file = folder.appending(path: "callgrind-\(messages)").path
            let ingester = try startPenstock(under: ["valgrind", "--tool=callgrind", "--callgrind-out-file=\(file)"])
            try drain(messages, with: ingester)
            let text = try String(contentsOfFile: file, encoding: .utf8)
            if let kept = options.callgrindFile { try text.write(to: kept, atomically: false, encoding: .utf8) }
            let prefix = "totals: "
            guard let line = text.split(separator: "\n").last(where: { $0.hasPrefix(prefix) }),
                let total = Double(line.dropFirst(prefix.count))
            else {
                throw BenchmarkError("callgrind wrote no totals")
            }
            return total
        }
    }

    /// Calls of malloc and its like for one message.
    func allocationsAMessage() throws -> Double {
        try perMessage { messages in
            let ingester = try startPenstock(under: ["valgrind", "--tool=memcheck", "--leak-check=no", "--undef-value-errors=no"])
            try drain(messages, with: ingester)
            // ==123==   total heap usage: 1,234 allocs, 1,200 frees, 5,678 bytes allocated
            guard let line = ingester.errors.split(separator: "\n").last(where: { $0.contains("total heap usage:") }),
                let words = line.split(separator: ":").last?.split(separator: " "),
                let total = words.first.flatMap({ Double($0.filter(\.isNumber)) })
            else { throw BenchmarkError("memcheck wrote no heap usage:\n\(ingester.errors)") }
            return total
        }
    }

    private func perMessage(_ count: (Int) throws -> Double) throws -> Double {
        let (few, many) = options.profiledMessages
        let total = try [few, many].map { messages in
            try storeBacklog(of: messages, for: "penstock-0")
            return try count(messages)
        }
        return (total[1] - total[0]) / Double(many - few)
    }

    private func drain(_ messages: Int, with ingester: Child) throws {
        try waitUntilStored(messages, by: ingester)
        ingester.terminate()
        _ = try ingester.waitForSuccess()
    }
}
