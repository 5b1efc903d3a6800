/// A payload as the reference implementation of Protocol Buffers encodes it, and the text that it is to become.
struct Vector: Sendable, CustomStringConvertible {
    var description: String
    var payload: [UInt8]
    var text: String

    init(_ description: String, _ hex: String, _ text: String) {
        self.description = description
        payload = bytes(hex)
        self.text = text
    }
}

func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

let vectors: [Vector] = [
    Vector(
        "Int8, filled up to 32 bits",
        "0880d095ffbc31120b0a0176200150fbffffff0f1803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Int8","value":-5}]}"#),
    Vector(
        "Int8, cut to its own 8 bits",
        "0880d095ffbc3112080a0176200150fb011803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Int8","value":-5}]}"#),
    Vector(
        "Int8, the least",
        "0880d095ffbc3112080a017620015080011803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Int8","value":-128}]}"#),
    Vector(
        "Int16, filled up",
        "0880d095ffbc31120b0a0176200250d095feff0f1803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Int16","value":-30000}]}"#),
    Vector(
        "Int16, cut",
        "0880d095ffbc3112090a0176200250d095021803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Int16","value":-30000}]}"#),
    Vector(
        "Int32",
        "0880d095ffbc31120b0a017620035080808080081803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Int32","value":-2147483648}]}"#),
    Vector(
        "Int32 in 64 bits",
        "0880d095ffbc3112100a0176200358f9ffffffffffffffff011803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Int32","value":-7}]}"#),
    Vector(
        "Int64",
        "0880d095ffbc3112100a0176200458808080808080808080011803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Int64","value":-9223372036854775808}]}"#),
    Vector(
        "Int64, positive",
        "0880d095ffbc31120e0a017620045881808080808080101803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Int64","value":9007199254740993}]}"#),
    Vector(
        "UInt8",
        "0880d095ffbc3112080a0176200550ff011803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"UInt8","value":255}]}"#),
    Vector(
        "UInt16",
        "0880d095ffbc3112090a0176200650ffff031803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"UInt16","value":65535}]}"#),
    Vector(
        "UInt32",
        "0880d095ffbc31120b0a0176200750ffffffff0f1803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"UInt32","value":4294967295}]}"#),
    Vector(
        "UInt32 in 64 bits",
        "0880d095ffbc31120b0a0176200758ffffffff0f1803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"UInt32","value":4294967295}]}"#),
    Vector(
        "UInt64",
        "0880d095ffbc3112100a0176200858ffffffffffffffffff011803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"UInt64","value":18446744073709551615}]}"#),
    Vector(
        "Float",
        "0880d095ffbc31120a0a0176200965cdcca8411803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Float","value":21.100000381469727}]}"#),
    Vector(
        "Float, not a number",
        "0880d095ffbc31120a0a01762009650000c07f1803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Float","value":"nan"}]}"#),
    Vector(
        "Double, infinite",
        "0880d095ffbc31120e0a0176200a69000000000000f07f1803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Double","value":"inf"}]}"#),
    Vector(
        "Double, infinite below",
        "0880d095ffbc31120e0a0176200a69000000000000f0ff1803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Double","value":"-inf"}]}"#),
    Vector(
        "Double",
        "0880d095ffbc31120e0a0176200a699a9999999999b93f1803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Double","value":0.1}]}"#),
    Vector(
        "Double, huge",
        "0880d095ffbc31120e0a0176200a69ffffffffffffef7f1803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Double","value":1.7976931348623157e+308}]}"#),
    Vector(
        "Boolean",
        "0880d095ffbc3112070a0176200b70011803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Boolean","value":true}]}"#),
    Vector(
        "Boolean, false",
        "0880d095ffbc3112070a0176200b70001803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Boolean","value":false}]}"#),
    Vector(
        "String",
        "0880d095ffbc3112130a0176200c7a0c6120226222205c200a20c3a91803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"String","value":"a \"b\" \\ \u000a é"}]}"#),
    Vector(
        "DateTime",
        "0880d095ffbc31120c0a0176200d58eaf2f5a8a02b1803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"DateTime","value":1486144502122}]}"#),
    Vector(
        "Text",
        "0880d095ffbc31120b0a0176200e7a046c6f6e671803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Text","value":"long"}]}"#),
    Vector(
        "UUID",
        "0880d095ffbc31122b0a0176200f7a2438663165386132652d353262362d346136652d396235652d3063396636613166326233631803",
        #"""
        {"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"UUID","value":"8f1e8a2e-52b6-4a6e-9b5e-\#
        0c9f6a1f2b3c"}]}
        """#),
    Vector(
        "Bytes",
        "0880d095ffbc31120e0a01762011820106fafbfcfdfeff1803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Bytes","value":"+vv8/f7/"}]}"#),
    Vector(
        "File",
        "0880d095ffbc31120a0a0176201282010268691803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"File","value":"aGk="}]}"#),
    Vector(
        "Bytes, one more than three",
        "0880d095ffbc31120c0a01762011820104010203041803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Bytes","value":"AQIDBA=="}]}"#),
    Vector(
        "Int8Array",
        "0880d095ffbc31120a0a01762016820102e97b1803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Int8Array","value":[-23,123]}]}"#),
    Vector(
        "Int16Array",
        "0880d095ffbc31120c0a01762017820104d08a30751803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Int16Array","value":[-30000,30000]}]}"#),
    Vector(
        "Int32Array",
        "0880d095ffbc3112100a01762018820108fffffffffaafcb121803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Int32Array","value":[-1,315338746]}]}"#),
    Vector(
        "Int64Array",
        "0880d095ffbc3112180a01762019820110ce0672ac189cbac4c4ba9c18ac7206ce1803",
        #"""
        {"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Int64Array","value":[-4270929666821191986,-\#
        3601064768563266876]}]}
        """#),
    Vector(
        "UInt8Array",
        "0880d095ffbc31120a0a0176201a82010217fa1803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"UInt8Array","value":[23,250]}]}"#),
    Vector(
        "UInt16Array",
        "0880d095ffbc31120c0a0176201b8201041e0088cc1803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"UInt16Array","value":[30,52360]}]}"#),
    Vector(
        "UInt32Array",
        "0880d095ffbc3112100a0176201c8201083400000049fb55c41803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"UInt32Array","value":[52,3293969225]}]}"#),
    Vector(
        "UInt64Array",
        "0880d095ffbc3112180a0176201d8201103400000000000000d99e02d1b27637e41803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"UInt64Array","value":[52,16444743074749521625]}]}"#),
    Vector(
        "FloatArray",
        "0880d095ffbc3112100a0176201e8201080000c03f0080b2c21803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"FloatArray","value":[1.5,-89.25]}]}"#),
    Vector(
        "DoubleArray",
        "0880d095ffbc3112180a0176201f820110d7a205685bb528408e171c6f4cf78f401803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"DoubleArray","value":[12.354213,1022.9123213]}]}"#),
    Vector(
        "BooleanArray",
        "0880d095ffbc31120e0a017620208201060c00000034d01803",
        #"""
        {"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"BooleanArray","value":[false,false,true,true,fal\#
        se,true,false,false,true,true,false,true]}]}
        """#),
    Vector(
        "BooleanArray, empty",
        "0880d095ffbc31120c0a01762020820104000000001803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"BooleanArray","value":[]}]}"#),
    Vector(
        "StringArray",
        "0880d095ffbc3112130a0176202182010b4142430068656c6c6f00001803",
        #"{"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"StringArray","value":["ABC","hello",""]}]}"#),
    Vector(
        "DateTimeArray",
        "0880d095ffbc3112180a01762022820110c7d0907524010000b8bab897810100001803",
        #"""
        {"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"DateTimeArray","value":[1256102875335,1656107875\#
        000]}]}
        """#),
    Vector(
        "DataSet",
        """
        0880d095ffbc31124d0a017620108a014508041201611201621201631201641803180a180c180b22180a0208010a0921000000000000e03f0a0332\
        01780a02280122130a0608ffffffff0f0a000a033201790a0228001803
        """,
        #"""
        {"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"DataSet","value":{"columns":["a","b","c","d"],"t\#
        ypes":["Int32","Double","String","Boolean"],"rows":[[1,0.5,"x",true],[-1,null,"y",false]]}}]}
        """#),
    Vector(
        "Template",
        """
        0880d095ffbc3112540a0176201392014c0a027631120a0a0372706d200350aa0b12200a05696e6e65722013920114120c0a036f686d2009650000\
        20402204636f696c1a0f0a05706f6c6573100118fcffffff0f22056d6f746f7228001803
        """,
        #"""
        {"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Template","value":{"version":"v1","template_ref"\#
        :"motor","is_definition":false,"parameters":[{"name":"poles","datatype":"Int8","value":-\#
        4}],"metrics":[{"name":"rpm","datatype":"Int32","value":1450},{"name":"inner","datatype":"Template","value":{"template\#
        _ref":"coil","metrics":[{"name":"ohm","datatype":"Float","value":2.5}]}}]}}]}
        """#),
    Vector(
        "properties",
        """
        0880d095ffbc31126b0a017620094a5f0a075175616c6974790a066c696d6974730a046e6f6e650a046c6973741205080318c001121708144a130a\
        0468696768120b080a3100000000000023401204080c1001121a081552160a090a016e1204080820010a090a016e120408082002650000c03f1803
        """,
        #"""
        {"timestamp":1700000000000,"seq":3,"metrics":[{"name":"v","datatype":"Float","value":1.5,"properties":{"Quality":192,"\#
        limits":{"high":9.5},"none":null,"list":[{"n":1},{"n":2}]}}]}
        """#),
    Vector(
        "what stands beside a value",
        """
        0880d095ffbc3112650a017610ffffffffffffffffff011881d095ffbc31201128013000424408011209696d6167652f706e67180120002a05612e\
        706e673203706e673a2039336238383561646665306461303839636466363334393034666435396637314203646f748201010012070a0177200a38\
        01120b0a076e6f7468696e67200a18032201552a026162
        """,
        #"""
        {"timestamp":1700000000000,"seq":3,"uuid":"U","metrics":[{"name":"v","alias":18446744073709551615,"timestamp":17000000\#
        00001,"datatype":"Bytes","value":"AA==","is_historical":true,"is_transient":false,"metadata":{"is_multi_part":true,"co\#
        ntent_type":"image/png","size":1,"seq":0,"file_name":"a.png","file_type":"png","md5":"93b885adfe0da089cdf634904fd59f71\#
        ","description":"dot"}},{"name":"w","datatype":"Double","value":null,"is_null":true},{"name":"nothing","datatype":"Dou\#
        ble"}],"body":"YWI="}
        """#),
]
