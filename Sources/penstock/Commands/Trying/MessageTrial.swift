import Mapping

/// What a set of mappings makes of one message.
struct MessageTrial {
    let message: TrialMessage
    /// Those that take it first, then the others, each in the order of their names.
    let explanations: [Explanation]

    init(_ mappings: [MappingSyntax], _ message: TrialMessage, limits: EvaluationLimits) {
        self.message = message
        let all = mappings.map { Explanation($0, message, limits: limits) }
        explanations = all.filter(\.isMatched) + all.filter { !$0.isMatched }
    }

    var isMatched: Bool { explanations.contains(where: \.isMatched) }

    /// A dead letter for one of them.
    var isDeadLetter: Bool {
        explanations.contains { explanation in
            if case .deadLetter = explanation.outcome { true } else { false }
        }
    }
}
