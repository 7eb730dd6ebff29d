#include "engine/plain/decode.hpp"

#include "engine/plain/trace.hpp"
#include "engine/testing/decoders.hpp"

#include <gtest/gtest.h>

namespace picket::engine {
namespace {

using testing::line_decoder;
using testing::load_decoders;
using testing::show;

struct row {
  const char* id;
  const char* decoders;
  const char* log;
  const char* expected; ///< as `show`
};

void PrintTo(const row& each, std::ostream* out) { *out << each.id << " " << each.log; }

class DecoderExamples : public ::testing::TestWithParam<row> {};

TEST_P(DecoderExamples, DecodeAsSpecified) {
  auto loaded = load_decoders(GetParam().decoders);
  ASSERT_FALSE(has_errors(loaded.findings)) << to_string(loaded.findings.front());
  line_decoder decode_line(loaded.tree);
  EXPECT_EQ(show(decode_line(GetParam().log)), GetParam().expected);
}

#define P R"(<decoder name="p"><prematch>^foo </prematch></decoder>)"
#define CHILD(name) "<decoder name=\"" name "\"><parent>p</parent>"
#define END "</decoder>"

constexpr const char* lists = R"(<decoder name="a"><prematch>^foo</prematch></decoder>
<decoder name="b"><program_name>^prog$</program_name></decoder>
<decoder name="c"><program_name>^prog2$</program_name><prematch>^foo</prematch></decoder>)";

constexpr const char* alternatives =
    P CHILD("c1") R"(<prematch>bar</prematch><regex>x=(\d+)</regex><order>x</order>)" END CHILD(
        "c2") R"(<prematch>bar</prematch><regex>y=(\d+)</regex><order>y</order>)" END;

constexpr const char* skipped_chain =
    P CHILD("c") R"(<prematch>bar</prematch><regex>x=(\d+)</regex><order>x</order>)" END
        CHILD("c") R"(<regex>y=(\d+)</regex><order>y</order>)" END CHILD(
            "d") R"(<regex>w=(\d+)</regex><order>w</order>)" END;

constexpr const char* neighbours =
    P CHILD("A") R"(<prematch>bar</prematch><regex>x=(\d+)</regex><order>x</order>)" END
        CHILD("B") R"(<prematch>NEVER</prematch><regex>y=(\d+)</regex><order>y</order>)" END CHILD(
            "A") R"(<regex>z=(\d+)</regex><order>z</order>)" END;

constexpr const char* own_names = P CHILD(
    "c") R"(<use_own_name>true</use_own_name><prematch>x</prematch><regex>x=(\d+)</regex><order>x</order>)" END
    CHILD("d") R"(<use_own_name>true</use_own_name><regex>y=(\d+)</regex><order>y</order>)" END;

// decoders.md 7.1, groups T
INSTANTIATE_TEST_SUITE_P(
    Tree, DecoderExamples,
    ::testing::Values(
        row{"T1a", lists, "foo", "a"}, row{"T1b", lists, "Dec 29 10:00:01 h foo", "a"},
        row{"T1c", lists, "Dec 29 10:00:01 h prog: foo", "b"},
        row{"T1e", lists, "Dec 29 10:00:01 h prog2: foo", "c"},
        row{"T1f", lists, "Dec 29 10:00:01 h prog2: x", "-"},
        row{"T1g", lists, "Dec 29 10:00:01 h other: foo", "-"},
        row{"T3a",
            R"(<decoder name="p"><prematch>^foo </prematch><regex>(\w+)$</regex><order>a</order></decoder>)" CHILD(
                "c") R"(<prematch>zzz</prematch></decoder>)",
            "foo bar", "p"},
        row{"T4a", alternatives, "foo bar y=2", "p<p"},
        row{"T4b", alternatives, "foo bar x=1 y=2", "p<p x:1"}, row{"T4c", alternatives, "foo y=2", "p"},
        row{"T7a", skipped_chain, "foo x=1 y=2 w=4", "p w:4"},
        row{"T7b", skipped_chain, "foo bar x=1 y=2 w=4", "p<p x:1 y:2"},
        row{"T8a", neighbours, "foo bar x=1 y=2 z=3", "p<p x:1 y:2"},
        row{"T9a", neighbours, "foo x=1 y=2 z=3", "p z:3"}, row{"T10a", own_names, "foo x=1", "c<p x:1"},
        row{"T10b", own_names, "foo y=1", "p y:1"},
        row{"T15a",
            P CHILD("c") "<type>ids</type>" END CHILD(
                "d") R"(<prematch>x</prematch><regex>x=(\d+)</regex><order>x</order>)" END,
            "foo x=1", "p"},
        row{"T19a", R"(<decoder name="a"><program_name /></decoder>)", "Dec 29 10:00:01 h any: x", "a"}),
    [](const auto& each) { return std::string(each.param.id); });

#define REST R"(type="pcre2">(?s)\A(.*)\z</regex><order>extra_data</order></decoder>)"

constexpr const char* offsets = P CHILD(
    "c") R"(<prematch>bar</prematch><regex offset="after_parent">(\d)</regex><order>a</order>)" END
    CHILD("d") R"(<prematch>baz</prematch><regex offset="after_prematch">(\d)</regex><order>a</order>)" END
        CHILD("e") R"(<prematch>qux</prematch><regex>(\w)</regex><order>a</order>)" END;

constexpr const char* after_regex =
    P CHILD("c") R"(<prematch>bar</prematch><regex>x=(\d+)</regex><order>x</order>)" END
        CHILD("c") R"(<regex offset="after_regex">NO(\d+)</regex><order>b</order>)" END CHILD(
            "c") R"(<regex offset="after_regex">(\d+)</regex><order>d</order>)" END;

// Groups O
INSTANTIATE_TEST_SUITE_P(
    Offsets, DecoderExamples,
    ::testing::Values(
        row{"O1a", R"(<decoder name="p"><prematch>^foo</prematch><regex offset="after_prematch" )" REST,
            "foo bar", "p extra_data= bar"},
        row{"O2a", R"(<decoder name="p"><prematch>^\d+</prematch><regex offset="after_prematch" )" REST,
            "123 abc", "p extra_data=abc"},
        row{"O2b", R"(<decoder name="p"><prematch>^\d+</prematch><regex offset="after_prematch" )" REST,
            "123", "p extra_data=23"},
        row{"O3a", R"(<decoder name="p"><prematch>(\d+)</prematch><regex offset="after_prematch" )" REST,
            "123 abc", "p extra_data=23 abc"},
        row{"O4a", R"(<decoder name="z"><prematch>^\d*z|^\w*</prematch><regex offset="after_prematch" )" REST,
            "!abc", "z extra_data="},
        row{"O5c",
            R"(<decoder name="p"><prematch type="pcre2">^\d+|^x?</prematch><regex offset="after_prematch" )" REST,
            "abc", "p extra_data="},
        row{"O7a", offsets, "foo 1 bar 2", "p<p a:1"}, row{"O7b", offsets, "foo 1 baz 2", "p<p a:2"},
        row{"O7c", offsets, "foo 1 qux 2", "p<p a:f"},
        row{"O10a", after_regex, "foo 9 bar x=1 y=2", "p<p x:1 d:2"},
        row{"O10b", after_regex, "foo 9 bar 7 8", "p<p d:7"}),
    [](const auto& each) { return std::string(each.param.id); });

// Groups F
INSTANTIATE_TEST_SUITE_P(
    Fields, DecoderExamples,
    ::testing::Values(
        row{"F1",
            R"(<decoder name="p"><prematch>^foo</prematch><regex>(\d) (\d) (\d)</regex><order>user, SrcIP,systemname</order></decoder>)",
            "foo 1 2 3", "p dstuser=1 SrcIP:2 systemname:3"},
        row{"F2a",
            R"(<decoder name="p"><prematch>^foo</prematch><regex>(\d) (\d) (\d) (\d) (\d)</regex><order>srcip,srcip,a,a,A</order></decoder>)",
            "foo 1 2 3 4 5", "p srcip=2 a:3 a:4 A:5"},
        row{"F6a",
            R"(<decoder name="p"><prematch>^foo</prematch><regex>(\d) (\d)</regex><order>a</order></decoder>)",
            "foo 1 2", "p a:1"},
        row{"F7a",
            "<decoder name=\"p\"><prematch>^foo</prematch><regex>(\\d) (\\d) (\\d) (\\d)</regex><order>srcip "
            "dstip,\tx y,a\\,b,\n id</order></decoder>",
            "foo 1 2 3 4", "p srcip=1 \tx:2 a,b:3 \n:4"},
        row{"F9a",
            R"(<decoder name="p"><prematch>^fo</prematch><prematch>o</prematch><regex type="pcre2">x=(\d)</regex><regex> y=(\d+)</regex><order>a,b</order></decoder>)",
            "foo x=1 y=23", "p a:1 b:23"},
        row{"F10a",
            R"(<decoder name="p"><prematch>^foo</prematch><regex type="pcre2">x(a)?(b)?(c)?</regex><order>srcip,dstip,url</order></decoder>)",
            "foo xac", "p srcip=a dstip= url=c"},
        row{"F11a",
            R"(<decoder name="p"><prematch type="pcre2">^(fo)(o)</prematch><regex type="pcre2">bar</regex><order>a,b</order></decoder>)",
            "foo bar", "p"}),
    [](const auto& each) { return std::string(each.param.id); });

#define JSON "<plugin_decoder>JSON_Decoder</plugin_decoder>"

constexpr const char* parent_options =
    R"(<decoder name="j"><prematch>^foo: </prematch></decoder>
<decoder name="c"><parent>j</parent><plugin_decoder offset="after_parent">JSON_Decoder</plugin_decoder></decoder>
<decoder name="k"><prematch>^{</prematch><json_null_field>discard</json_null_field></decoder>
<decoder name="d"><parent>k</parent><json_array_structure>csv</json_array_structure>)" JSON END;

constexpr const char* own_options =
    R"(<decoder name="j"><prematch>^foo: </prematch><json_null_field>discard</json_null_field></decoder>
<decoder name="c"><parent>j</parent><prematch offset="after_parent">^bar: </prematch><json_array_structure>csv</json_array_structure>
<plugin_decoder offset="after_prematch">JSON_Decoder</plugin_decoder></decoder>
<decoder name="d"><parent>j</parent><prematch>{</prematch><plugin_decoder offset="after_parent">JSON_Decoder</plugin_decoder></decoder>)";

// Groups J8 to J11: whose offset and options count
INSTANTIATE_TEST_SUITE_P(
    Json, DecoderExamples,
    ::testing::Values(
        row{"J8a", R"(<decoder name="j"><prematch>^foo: </prematch>)" JSON END, R"(foo: {"a":1})", "j"},
        row{"J8b",
            R"(<decoder name="k"><prematch>^bar: </prematch><plugin_decoder offset="after_prematch">JSON_Decoder</plugin_decoder></decoder>)",
            R"(bar:  {"a":1} tail)", "k a:1"},
        row{"J8d",
            R"(<decoder name="l"><prematch>^baz: </prematch><plugin_decoder offset="after_regex">JSON_Decoder</plugin_decoder></decoder>)",
            R"(baz: {"a":1})", "l"},
        row{"J9a", parent_options, R"(foo: {"a":1})", "j"},
        row{"J9b", parent_options, R"({"a":null,"b":[1,2]})", "k b:[1, 2]"},
        row{"J10a", own_options, R"(foo: bar: {"a":null,"b":[1,2]})", "j<j a:null b:1,2"},
        row{"J10b", own_options, R"(foo: {"a":null,"b":[1,2]})", "j<j a:null b:[1, 2]"}),
    [](const auto& each) { return std::string(each.param.id); });

TEST(Decode, TheTypeIsTheMatchedDecoders) {
  auto loaded =
      load_decoders(R"(<decoder name="p"><prematch>^foo </prematch><type>web-log</type></decoder>)" CHILD(
          "c") "<prematch>bar</prematch>" END
                        CHILD("d") R"(<type>ids</type><regex>x=(\d+)</regex><order>x</order>)" END);
  line_decoder decode_line(loaded.tree);
  EXPECT_EQ(decode_line("foo bar").type, event_type::syslog);
  EXPECT_EQ(decode_line("foo x=1").type, event_type::web_log);
}

TEST(Decode, ForwardedAlertsAreOrdinaryEvents) {
  auto loaded = load_decoders("<decoder name=\"o\"><prematch>^ossec: Alert</prematch>"
                              "<plugin_decoder>OSSECAlert_Decoder</plugin_decoder></decoder>");
  line_decoder decode_line(loaded.tree);
  constexpr auto line =
      "ossec: Alert Level: 3; Rule: 5710 - T; Location: (h1) 1.2.3.4->/x; srcip: 1.1.1.1;  original";
  EXPECT_EQ(show(decode_line(line)), "o");
  EXPECT_EQ(decode_line.ev.full_log, line);
}

TEST(Decode, DynamicFieldsAreLimited) {
  auto loaded = load_decoders(R"(<decoder name="j"><prematch>^{</prematch></decoder>
<decoder name="c"><parent>j</parent><prematch>"a"</prematch>)" JSON R"(</decoder>
<decoder name="c"><parent>j</parent><regex>"z":(\d+)</regex><order>srcip</order></decoder>)");
  line_decoder decode_line(loaded.tree);
  std::string line = R"({"z":7,"a":0)";
  for (int i = 0; i < 255; ++i)
    line += ",\"n" + std::to_string(i) + "\":1";
  const auto& ev = decode_line(line + "}");
  EXPECT_EQ(ev.dynamics.size(), 256u);
  EXPECT_FALSE(ev.get(static_field::srcip)) << "nothing is stored once the event is full";
  EXPECT_EQ(decode_line.counters.fields_dropped, 2u);
}

TEST(Decode, AChainChecksTheLimitPerField) {
  auto loaded = load_decoders(
      R"(<decoder name="p"><prematch>^foo</prematch><regex>(\d) (\d) (\d)</regex><order>a,b,srcip</order></decoder>)");
  line_decoder decode_line(loaded.tree);
  EXPECT_EQ(show(decode_line("foo 1 2 3", {1, 100})), "p srcip=3 a:1");
  EXPECT_EQ(decode_line.counters.fields_dropped, 1u);
}

class recorder : public trace {
public:
  void decoder_tried(const decoder& tried, decoder_part part, std::string_view searched, bool held) override {
    static constexpr const char* names[] = {"program_name", "prematch", "unconditional", "regex", "plugin"};
    lines += tried.declared_name + " " + names[static_cast<int>(part)] + " '" + std::string(searched) + "' "
             + (held ? "yes" : "no") + "\n";
  }
  std::string lines;
};

TEST(Decode, TellsWhatItTries) {
  auto loaded =
      load_decoders(R"(<decoder name="n"><prematch>^no</prematch></decoder>)" P
                        CHILD("c") R"(<prematch offset="after_parent">^bar</prematch>)" END CHILD(
                            "d") R"(<regex offset="after_parent">x=(\d)</regex><order>x</order>)" END);
  line_decoder decode_line(loaded.tree);
  recorder heard;
  decode_line.listener = &heard;
  decode_line("foo x=1");
  EXPECT_EQ(heard.lines, "n prematch 'foo x=1' no\n"
                         "p prematch 'foo x=1' yes\n"
                         "c prematch 'x=1' no\n"
                         "d unconditional 'x=1' yes\n"
                         "d regex 'x=1' yes\n");
}

} // namespace
} // namespace picket::engine
