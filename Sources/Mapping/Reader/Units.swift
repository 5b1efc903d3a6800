/// Units that `convert` knows, each as an exact affine step to the base unit of its dimension.
enum Units {
    private struct Unit {
        var dimension: String
        /// base = (value × multiplier + addend) ÷ divisor
        var multiplier: Int64
        var addend: Int64 = 0
        var divisor: Int64 = 1
    }

    private static let units: [String: Unit] = [
        "degC": Unit(dimension: "temperature", multiplier: 1),
        "degF": Unit(dimension: "temperature", multiplier: 5, addend: -160, divisor: 9),
        "K": Unit(dimension: "temperature", multiplier: 100, addend: -27_315, divisor: 100),
        "J": Unit(dimension: "energy", multiplier: 1), "Wmin": Unit(dimension: "energy", multiplier: 60),
        "Wh": Unit(dimension: "energy", multiplier: 3600), "kWh": Unit(dimension: "energy", multiplier: 3_600_000),
        "Pa": Unit(dimension: "pressure", multiplier: 1), "hPa": Unit(dimension: "pressure", multiplier: 100),
        "kPa": Unit(dimension: "pressure", multiplier: 1000), "bar": Unit(dimension: "pressure", multiplier: 100_000),
        "psi": Unit(dimension: "pressure", multiplier: 6_894_757_293_168, divisor: 1_000_000_000),
        "m/s": Unit(dimension: "speed", multiplier: 1), "km/h": Unit(dimension: "speed", multiplier: 10, divisor: 36),
        "kn": Unit(dimension: "speed", multiplier: 1852, divisor: 3600),
        "mph": Unit(dimension: "speed", multiplier: 44_704, divisor: 100_000),
        "m": Unit(dimension: "length", multiplier: 1), "km": Unit(dimension: "length", multiplier: 1000),
        "ft": Unit(dimension: "length", multiplier: 3048, divisor: 10_000), "mm": Unit(dimension: "length", multiplier: 1, divisor: 1000),
        "in": Unit(dimension: "length", multiplier: 254, divisor: 10_000), "V": Unit(dimension: "voltage", multiplier: 1),
        "mV": Unit(dimension: "voltage", multiplier: 1, divisor: 1000), "W": Unit(dimension: "power", multiplier: 1),
        "kW": Unit(dimension: "power", multiplier: 1000), "A": Unit(dimension: "current", multiplier: 1),
        "mA": Unit(dimension: "current", multiplier: 1, divisor: 1000),
    ]

    enum Fault: Error {
        case malformed
        case unknown(String)
        case dimensions(String, String)
    }

    /// Reads `hPa to Pa`.
    static func conversion(_ text: String) throws(Fault) -> UnitConversion {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 3, words[1] == "to" else { throw .malformed }
        guard let from = units[words[0]] else { throw .unknown(words[0]) }
        guard let to = units[words[2]] else { throw .unknown(words[2]) }
        guard from.dimension == to.dimension else { throw .dimensions(from.dimension, to.dimension) }
        // to = ((v × m1 + a1) ÷ d1 × d2 − a2) ÷ m2
        let multiplier = from.multiplier * to.divisor
        let addend = from.addend * to.divisor - to.addend * from.divisor
        let divisor = from.divisor * to.multiplier
        let common = max(1, gcd(gcd(multiplier, abs(addend)), divisor))
        return UnitConversion(
            fromUnit: words[0], toUnit: words[2], multiplier: multiplier / common, addend: addend / common, divisor: divisor / common)
    }

    static var names: [String] { units.keys.sorted() }

    private static func gcd(_ left: Int64, _ right: Int64) -> Int64 { right == 0 ? left : gcd(right, left % right) }
}
