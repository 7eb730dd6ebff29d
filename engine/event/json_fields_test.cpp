#include "engine/event/json_fields.hpp"

#include "engine/event/json.hpp"

#include <gtest/gtest.h>

namespace picket::engine {
namespace {

/// "static=value ... dynamic:value ..." of a decoded text; "error" if it did not parse.
std::string decoded(std::string_view text, const json_options& options = {}) {
  arena memory;
  event ev;
  if (!decode_json(ev, text, options, memory).parsed) {
    EXPECT_TRUE(ev.dynamics.empty());
    return "error";
  }
  std::string shown;
  for (std::size_t i = 0; i < static_field_count; ++i) {
    auto field = static_cast<static_field>(i);
    if (auto value = ev.get(field)) shown.append(name_of(field)).append("=").append(*value).append(" ");
  }
  for (const auto& each : ev.dynamics)
    shown.append(each.name).append(":").append(each.value).append(" ");
  return shown;
}

json_options csv() { return {false, true, 256, 1 << 20}; }
json_options discard() { return {true, false, 256, 1 << 20}; }

struct row {
  const char* id;
  const char* text;
  const char* expected;
};

void PrintTo(const row& each, std::ostream* out) { *out << each.id << " " << each.text; }

class JsonExamples : public ::testing::TestWithParam<row> {};
TEST_P(JsonExamples, BecomeFields) { EXPECT_EQ(decoded(GetParam().text), GetParam().expected); }

// decoders.md 4.6 and 7.1, groups J
INSTANTIATE_TEST_SUITE_P(
    Specification, JsonExamples,
    ::testing::Values(
        row{"Scalars", R"({"a":"x","b":1,"d":true,"e":false,"f":null,"n":""})",
            "a:x b:1 d:true e:false f:null n: "},
        row{"Nested", R"({"h":{"i":{"j":"k"}},"l":{},"m":[]})", "h.i.j:k m:[] "},
        row{"Integers", R"({"a":2147483647,"b":-2147483648,"c":1.0,"d":1e3,"e":-0})",
            "a:2147483647 b:-2147483648 c:1 d:1000 e:0 "},
        row{"Decimals", R"({"a":2147483648,"b":-2147483649,"c":0.1,"d":12345678901234567890})",
            "a:2147483648.000000 b:-2147483649.000000 c:0.100000 d:12345678901234567168.000000 "},
        row{"Infinite", R"({"a":1e400,"b":-1e400,"c":1e-400})", "a:inf b:-inf c:0 "},
        row{"OddNumbers", R"({"a":01,"b":1.})", "a:1 b:1 "}, row{"Plus", R"({"a":+1})", "error"},
        row{"Dot", R"({"a":.5})", "error"}, row{"Hex", R"({"a":0x10})", "error"},
        row{"Minus", R"({"a":-})", "error"}, row{"TwoDots", R"({"a":1.2.3})", "error"},
        row{"LongNumber", R"({"a":1111111111111111111111111111111111111111111111111111111111111111})",
            "error"},
        row{"Statics",
            R"({"srcip":"1","user":"u","id":7,"systemname":"s","system_name":"t","hostname":"h","x":{"srcip":"2"}})",
            "srcip=1 dstuser=u id=7 system_name=s system_name:t hostname:h x.srcip:2 "},
        row{"UserFirst", R"({"user":"u","dstuser":"d"})", "dstuser=d "},
        row{"UserLast", R"({"dstuser":"d","user":"u"})", "dstuser=d user:u "},
        row{"UserOverEmpty", R"({"dstuser":"","user":"u"})", "dstuser=u "},
        row{"Duplicates", R"({"a":1,"a":2,"srcip":1,"srcip":2})", "srcip=2 a:1 a:2 "},
        row{"DottedKeys", R"({"a.b":1,"":2,"b.":{"":3}})", "a.b:1 :2 b..:3 "},
        row{"Behind", R"({"a":1}garbage)", "a:1 "}, row{"Unclosed", R"({"a":1)", "error"},
        row{"TrailingComma", R"({"a":1,})", "error"}, row{"Unquoted", R"({a:1})", "error"},
        row{"Escapes", R"({"a":"\u00e9\n\"\/\b\f\r\t\\x"})", "a:\303\251\n\"/\b\f\r\t\\x "},
        row{"RawControl", "{\"a\":\"t\tb\x01\"}", "a:t\tb\x01 "}, row{"BadEscape", R"({"a":"\x"})", "error"},
        row{"Nul", R"({"a":"x\u0000y","b":1})", "a:x b:1 "},
        row{"Pair", R"({"a":"\ud83d\ude00"})", "a:\360\237\230\200 "},
        row{"LoneHigh", R"({"a":"\ud83d"})", "error"}, row{"LoneLow", R"({"a":"\ude00"})", "error"},
        row{"BrokenPair", R"({"a":"\ud83d\u0041"})", "error"}, row{"ShortHex", R"({"a":"\u12"})", "error"},
        row{"BackslashEnd", "{\"a\":\"\\", "error"},
        row{"Bom", "\xEF\xBB\xBF \t\n{\"a\" : [ 1 , 2 ] }", "a:[1, 2] "},
        row{"TopArray", R"([1,{"a":1}])", ""}, row{"TopScalar", R"("x")", ""}, row{"Empty", "", "error"},
        row{"Literal", R"({"a":True})", "error"},
        row{"ArrayText", R"({"a":[1,{"y":2,"z":{}}],"b":[[],["\u00e9\u0001/\"",null,true]]})",
            "a:[1, {\n\t\t\"y\":\t2,\n\t\t\"z\":\t{\n\t\t}\n\t}] b:[[], [\"\303\251\\u0001/\\\"\", null, "
            "true]] "},
        row{"ArrayNumbers", R"({"a":[1.5,1e100,12345678901,0.1,-0,1.0,1e3,0.1234567890123456789]})",
            "a:[1.5, 1e+100, 12345678901, 0.1, -0, 1, 1000, 0.12345678901234568] "}),
    [](const auto& each) { return std::string(each.param.id); });

TEST(JsonFields, CsvArrays) {
  EXPECT_EQ(
      decoded(R"({"a":[1,"x,y",null,true,1.5],"b":[],"c":[{}],"d":[1,{}],"e":[{},2],"f":["",""]})", csv()),
      "a:1,x,y,null,true,1.500000 d:1, e:2 f:, ");
  EXPECT_EQ(decoded(R"({"b":[1e56,2]})", csv()),
            "b:100000000000000009190283508143378238084034459715684532224.00000 ");
  EXPECT_EQ(decoded("{\"a\":[\"" + std::string(65536, 'x') + "\"]}", csv()), "")
      << "longer than a field may be";
}

TEST(JsonFields, NullsCanBeDiscarded) {
  EXPECT_EQ(decoded(R"({"a":null,"srcip":null,"b":[1,null],"c":1})", discard()), "b:[1, null] c:1 ");
}

TEST(JsonFields, DynamicFieldsAreLimitedStaticOnesNot) {
  arena memory;
  event ev;
  auto got = decode_json(ev, R"({"a":1,"b":2,"c":3,"srcip":"x"})", {false, false, 2, 1 << 20}, memory);
  EXPECT_EQ(ev.dynamics.size(), 2u);
  EXPECT_EQ(got.fields_dropped, 1u);
  EXPECT_EQ(ev.get(static_field::srcip), "x");
}

TEST(JsonFields, PrintedTextsAreLimited) {
  arena memory;
  event ev;
  auto got = decode_json(ev, R"({"a":[1,2],"b":[1,2,3,4,5,6],"c":[1]})", {false, false, 256, 10}, memory);
  EXPECT_EQ(got.texts_dropped, 1u);
  EXPECT_EQ(ev.dynamic("a"), "[1, 2]");
  EXPECT_EQ(ev.dynamic("b"), std::nullopt);
  EXPECT_EQ(ev.dynamic("c"), "[1]");
}

TEST(Json, NestingIsLimited) {
  arena memory;
  auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_NE(json::parse(nested(1000), memory), nullptr);
  EXPECT_EQ(json::parse(nested(1001), memory), nullptr);
}

TEST(Json, ANulByteEndsTheText) {
  arena memory;
  std::size_t end = 0;
  EXPECT_NE(json::parse(std::string_view("{}\0x", 4), memory, &end), nullptr);
  EXPECT_EQ(end, 2u);
  EXPECT_EQ(json::parse(std::string_view("\"a\0b\"", 5), memory), nullptr);
}

TEST(Json, TellsWhereTheValueEnds) {
  arena memory;
  std::size_t end = 0;
  ASSERT_NE(json::parse(R"( {"a":1} x)", memory, &end), nullptr);
  EXPECT_EQ(end, 8u);
  EXPECT_TRUE(json::is_white_space(" \n\t"));
  EXPECT_FALSE(json::is_white_space(" x"));
}

} // namespace
} // namespace picket::engine
