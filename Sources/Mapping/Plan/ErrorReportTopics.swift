import MQTT
import Payload

extension MappingPlan {
    /// Some mapping reports its dead letters (`report_errors_to`).
    public var reportsErrors: Bool { !errorReportFilters.isEmpty }

    /// Where a mapping reports what failed of a message on this topic; nil: nowhere. A message that is such a report itself, or could be one, is not
    /// reported.
    public func errorReportTopic(of mapping: Int, for topic: UnsafeRawBufferPointer) -> TopicName? {
        guard let pattern = mappings[mapping].errorReportTopic, !errorReportFilters.contains(where: { $0.matches(topic) }) else {
            return nil
        }
        let captures = captures(of: mapping, in: topic)
        var levels: [String] = []
        for level in pattern.levels {
            switch level {
            case .literal(let text): levels.append(text)
            case .parts(let parts):
                levels.append(
                    parts.map { part in
                        switch part {
                        case .literal(let text): text
                        case .capture(let name): captures[name] ?? ""
                        }
                    }.joined())
            case .captureRest(let name): levels.append(captures[name] ?? "")
            case .any, .rest: return nil
            }
        }
        return try? TopicName(levels.joined(separator: "/"))
    }

    /// What the first pattern that takes the topic captures in it.
    private func captures(of mapping: Int, in topic: UnsafeRawBufferPointer) -> [String: String] {
        let mapping = mappings[mapping]
        return withUnsafeTemporaryAllocation(of: Int32.self, capacity: TopicLevels.levelsMaximum + 1) { starts in
            guard let starts = starts.baseAddress else { return [:] }
            let levels = TopicLevels(topic, starts: starts)
            guard let pattern = mapping.patterns.first(where: { $0.matches(levels) }) else { return [:] }
            return withUnsafeTemporaryAllocation(of: Value.self, capacity: mapping.slotCount) { slots in
                guard let base = slots.baseAddress else { return [:] }
                base.initialize(repeating: .missing, count: mapping.slotCount)
                pattern.capture(levels, into: base)
                var captures: [String: String] = [:]
                for (name, slot) in mapping.captureNames where base[slot].kind == .string {
                    captures[name] = String(decoding: base[slot].bytes, as: UTF8.self)
                }
                return captures
            }
        }
    }
}
