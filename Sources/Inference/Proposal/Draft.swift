/// A column as a proposal writes it.
struct ColumnDraft {
    var name: String
    var type: String
    var isNotNull = false
    /// Sources in the mapping's words; the first that is there counts.
    var from: [String]
    /// With which the sources are put together, in place of taking the first.
    var joinedWith: String?
    var parse: String?
    var zone: String?
    /// The source of a step that is added to a time, and what its unit is.
    var plus: (from: String, times: String)?
    var nullIf: [String] = []
    /// Tests in the mapping's words, already quoted as YAML.
    var isKind: String?
    var when: String?
    /// Not all rows of the sample have it.
    var isSometimesMissing = false
    /// For the person who reads the mapping.
    var remark: String?
    /// The form of its times.
    var time: TimeForm?
    /// Members from the row's object to the field; names are made of it.
    var path: [String] = []
}

/// Rows of one table.
struct BlockDraft {
    var table: String
    var key: [String] = []
    var loops: [(variable: String, path: String)] = []
    /// Sources and tests in the mapping's words, already quoted as YAML.
    var when: [(source: String, test: String)] = []
    var columns: [ColumnDraft]
    /// Columns that may be NULL are not all that a row has to say.
    var keepsEmpty: Bool {
        let ofPayload = columns.filter { column in
            column.name != "time" && column.from.allSatisfy { !$0.hasPrefix("topic") && !$0.hasSuffix("@key") && $0 != "received" }
        }
        return ofPayload.contains(where: \.isNotNull) && ofPayload.contains { !$0.isNotNull }
    }
    /// What was guessed about the block.
    var remarks: [String] = []
    /// Columns that, with captures, tell rows apart, apart from the time; the time itself where a key is out of the question.
    var keyColumns: [String] = []
    /// The column `time` is the device's own.
    var hasOwnTime = false
}

/// A mapping before it is written.
struct MappingDraft {
    var name: String
    var topics: [String]
    var exclude: [String] = []
    var unpack: [String] = []
    /// The value of `decode`, as lines of YAML: the first behind the colon, the others below.
    var decode: [String]
    var blocks: [BlockDraft]
    var captures: [String] = []
    /// What was seen and guessed, each a line of a comment.
    var remarks: [String] = []
    /// Places of its messages in the sample.
    var messages: [Int]
}
