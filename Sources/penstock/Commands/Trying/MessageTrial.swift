import Mapping

/// What a set of mappings makes of one message.
struct MessageTrial {
    let message: TrialMessage
    /// Those that take it first, then the others, each in the order of their names.
    let explanations: [Explanation]

    /// What to do about a birth that is missing; nil where none is.
    let birthRemedy: String?

    init(_ mappings: [MappingSyntax], _ message: TrialMessage, limits: EvaluationLimits, births: BirthLookup.Found) {
        self.message = message
        let all = mappings.map { Explanation($0, message, limits: limits, births: births.births) }
        let lacksBirth = all.contains { explanation in
            if case .deadLetter(let letter) = explanation.outcome { letter.reason.contains("birth certificate") } else { false }
        }
        birthRemedy = lacksBirth ? births.remedy : nil
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
