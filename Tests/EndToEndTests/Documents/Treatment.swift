/// What a test does with something that a page gives its readers to type.
enum Treatment: Sendable {
    /// It is run: what no table names is run as it stands, and has to end with 0.
    case run(Trial)
    /// It cannot be run here.
    case instead(Check, why: String)

    /// How it is run, and what has to be true then.
    struct Trial: Sendable {
        /// What is typed in its place, where the page has a placeholder, or a time that a test has not.
        var typed: [String]?
        var before: [Step] = []
        var ends: Set<Int32> = [0]
        /// Each stands somewhere in what is printed.
        var prints: [String] = []
        /// Conditions in SQL that come true.
        var holds: [String] = []
        var after: [Step] = []
    }

    enum Step: Sendable {
        case shell(String)
        case sql(String)
        /// A condition in SQL that comes true.
        case until(String)
        case stopService
        case startService
    }

    /// What is looked at in place of a run.
    enum Check: Sendable {
        /// `--help` of the command of ours that has this name.
        case help
        /// The script is there, and it or what it starts knows each option.
        case script
        /// Services, profiles and secrets are those of docker/compose.yaml; what runs in a container is run here.
        case compose
        /// The files build, and the names are those of docker/kubernetes.
        case kubernetes
        /// The unit is installed under a folder of the test, enabled there, and rated.
        case unit
        /// One of our programs or scripts has an option of this name.
        case option
        /// Nothing.
        case nothing
    }

    /// - Parameters:
    ///   - text: what the page says.
    ///   - typed: see `Trial`.
    static func of(_ typed: Typed) -> Treatment? {
        if let treatment = TreatmentTable.exact[typed.text] { return treatment }
        if let found = TreatmentTable.beginnings.first(where: { typed.text.hasPrefix($0.key) }) { return found.value }
        return typed.kind == .option ? .instead(.option, why: "an option is no command") : nil
    }
}
