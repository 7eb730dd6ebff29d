#include "engine/load/decoders.hpp"

#include "engine/load/ruleset_files.hpp"
#include "engine/testing/decoders.hpp"
#include "picket_paths.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace picket::engine {
namespace {

using testing::load_decoders;

struct row {
  const char* id;
  const char* text;
  severity worst;
  const char* code; ///< of the first finding of that severity; empty: loads without finding
  int line;
  int column;
};

void PrintTo(const row& each, std::ostream* out) { *out << each.id << " " << each.text; }

class DecoderFindings : public ::testing::TestWithParam<row> {};

TEST_P(DecoderFindings, NameFilePlaceAndDecoder) {
  auto loaded = load_decoders(GetParam().text);
  auto first = std::find_if(loaded.findings.begin(), loaded.findings.end(),
                            [](const auto& each) { return each.severity == GetParam().worst; });
  EXPECT_EQ(has_errors(loaded.findings), GetParam().worst == severity::error);
  ASSERT_NE(first, loaded.findings.end());
  EXPECT_EQ(first->code, GetParam().code) << to_string(*first);
  EXPECT_EQ(first->place.file, "decoders/0100-case.xml");
  EXPECT_EQ(first->place.line, GetParam().line) << to_string(*first);
  EXPECT_EQ(first->place.column, GetParam().column) << to_string(*first);
  EXPECT_FALSE(first->hint.empty());
}

#define P "<decoder name=\"p\"><prematch>^foo </prematch></decoder>\n"

// decoders.md 7.2, and what our checks add
INSTANTIATE_TEST_SUITE_P(
    Specification, DecoderFindings,
    ::testing::Values(
        row{"E01", "<group name=\"x\"><prematch>a</prematch></group>", severity::error, "unknown-element", 1,
            1},
        row{"E03", "<decoder status=\"x\" name=\"p\"><prematch>^foo</prematch></decoder>", severity::error,
            "decoder-attributes", 1, 10},
        row{"E04", "<decoder name=\"p\" type=\"x\"><prematch>^foo</prematch></decoder>", severity::error,
            "decoder-attributes", 1, 19},
        row{"E05", "<decoder name=\"p\" status=\"x\" z=\"1\"><prematch>^foo</prematch></decoder>",
            severity::error, "decoder-attributes", 1, 30},
        row{"E07", "<decoder name=\"p\">^foo</decoder>", severity::error, "no-elements", 1, 1},
        row{"E08", "<decoder name=\"p\">\n <prematch>^foo</prematch>\n  <bar>1</bar></decoder>",
            severity::error, "unknown-element", 3, 3},
        row{"E09", "<decoder name=\"p\"><prematch>^foo</prematch><Type>ids</Type></decoder>", severity::error,
            "unknown-element", 1, 44},
        row{"E10", "<decoder name=\"p\"><prematch>^foo</prematch><type>zz</type></decoder>", severity::error,
            "unknown-type", 1, 44},
        row{"E11", "<decoder name=\"p\"><regex>(a)</regex><order>a</order></decoder>", severity::error,
            "no-selector", 1, 1},
        row{"E12", "<decoder name=\"p\"><prematch>^foo</prematch><regex>(a)</regex></decoder>",
            severity::error, "regex-without-order", 1, 44},
        row{"E13", "<decoder name=\"p\"><prematch>^foo</prematch><order>a</order></decoder>", severity::error,
            "order-without-regex", 1, 1},
        row{"E14", "<decoder name=\"p\"><prematch>^foo</prematch><fts>name</fts></decoder>", severity::error,
            "fts-without-regex", 1, 44},
        row{"E16",
            "<decoder name=\"p\"><prematch>^foo</prematch><regex>(a)</regex><order>a,</order></decoder>",
            severity::error, "order", 1, 62},
        row{"E18",
            "<decoder "
            "name=\"p\"><prematch>^foo</prematch><regex>(a)</regex><order>a</order><fts>zzz</fts></decoder>",
            severity::error, "fts", 1, 78},
        row{"E21",
            "<decoder "
            "name=\"p\"><prematch>^foo</prematch><fts>zzz</fts><regex>(\\w)</regex><order>abc</order></"
            "decoder>",
            severity::note, "fts", 1, 44},
        row{"E22", "<decoder name=\"c\"><parent>p</parent><prematch>x</prematch></decoder>" P,
            severity::error, "parent", 1, 1},
        row{"E23",
            P "<decoder name=\"c\"><parent>p</parent><prematch>bar</prematch></decoder>\n<decoder "
              "name=\"g\"><parent>c</parent><prematch>baz</prematch></decoder>",
            severity::error, "parent", 3, 1},
        row{"E25",
            P "<decoder "
              "name=\"c\"><parent>p</parent><regex>x=(\\d+)</regex><order>x</order></decoder>\n<decoder "
              "name=\"c\"><parent>p</parent><prematch>y</prematch><regex>y=(\\d+)</regex><order>y</order></"
              "decoder>",
            severity::error, "chain", 3, 1},
        row{"E27",
            P "<decoder name=\"c\"><parent>p</parent><prematch>x</prematch></decoder>\n<decoder "
              "name=\"c\"><parent>p</parent><regex>y=(\\d+)</regex><order>y</order></decoder>",
            severity::error, "chain", 3, 1},
        row{"E28",
            P "<decoder name=\"c\"><parent>p</parent><regex "
              "offset=\"after_regex\">(a)</regex><order>a</order></decoder>",
            severity::error, "offset", 2, 1},
        row{"E31",
            "<decoder name=\"p\"><prematch>^foo</prematch><regex "
            "offset=\"after_parent\">(a)</regex><order>a</order></decoder>",
            severity::error, "offset", 1, 44},
        row{"E34",
            P "<decoder name=\"c\"><parent>p</parent><prematch "
              "offset=\"after_prematch\">x</prematch></decoder>",
            severity::error, "offset", 2, 37},
        row{"E35", P "<decoder name=\"c\"><parent>p</parent><prematch offset=\"zz\">x</prematch></decoder>",
            severity::error, "unknown-offset", 2, 47},
        row{"E36",
            P "<decoder name=\"c\"><parent>p</parent><regex "
              "offset=\"zz\">(\\w)</regex><order>a</order></decoder>",
            severity::warning, "unknown-offset", 2, 44},
        row{"E37",
            P "<decoder name=\"c\"><parent>p</parent><regex>x</regex><regex "
              "offset=\"after_parent\">(a)</regex><order>a</order></decoder>",
            severity::error, "offset", 2, 60},
        row{"E41",
            "<decoder "
            "name=\"p\"><prematch>^foo</prematch><plugin_decoder>json_decoder</plugin_decoder></decoder>",
            severity::error, "plugin", 1, 44},
        row{"E42",
            "<decoder "
            "name=\"p\"><prematch>^foo</prematch><plugin_decoder>JSON_Decoder</plugin_decoder><regex>(a)</"
            "regex><order>a</order></decoder>",
            severity::error, "plugin-with-regex", 1, 1},
        row{"E43",
            "<decoder name=\"p\"><prematch>^foo</prematch><regex "
            "type=\"zz\">(\\w)</regex><order>a</order></decoder>",
            severity::warning, "unknown-pattern-type", 1, 51},
        row{"E45", "<decoder name=\"p\"><prematch>^fo\\xo</prematch></decoder>", severity::error, "pattern",
            1, 19},
        row{"E47",
            "<decoder name=\"p\"><prematch>^foo</prematch><json_null_field>zz</json_null_field></decoder>",
            severity::warning, "json-option", 1, 44},
        row{"E49", "<decoder name=\"p\"><prematch>^foo</prematch ></decoder>", severity::error, "xml-syntax",
            1, 33},
        row{"Var", "<var name=\"W\">wo</var><decoder name=\"e\"><prematch>^(a$)|b</prematch></decoder>",
            severity::error, "xml-variable", 1, 41},
        row{"Dead",
            "<decoder name=\"p\"><prematch>^foo "
            "</prematch><regex>(\\w)</regex><order>a</order></decoder><decoder "
            "name=\"c\"><parent>p</parent><prematch>x</prematch></decoder>",
            severity::note, "dead-regex", 1, 1},
        row{"Unreachable",
            P "<decoder name=\"c\"><parent>p</parent><regex>(x)</regex><order>a</order></decoder>\n<decoder "
              "name=\"d\"><parent>p</parent><prematch>x</prematch></decoder>",
            severity::note, "unreachable", 3, 1},
        row{"NoEffect",
            P "<decoder "
              "name=\"c\"><parent>p</parent><program_name>x</program_name><prematch>x</prematch></decoder>",
            severity::note, "no-effect", 2, 37}),
    [](const auto& each) { return std::string(each.param.id); });

TEST(DecoderLoader, LongTextsAreRefused) {
  auto with_prematch = [](std::size_t bytes) {
    return load_decoders("<decoder name=\"a\"><program_name>^p$</program_name><prematch>"
                         + std::string(bytes, 'x') + "</prematch></decoder>");
  };
  EXPECT_FALSE(has_errors(with_prematch(1023).findings));
  auto refused = with_prematch(1024);
  ASSERT_TRUE(has_errors(refused.findings));
  EXPECT_EQ(refused.findings.front().code, "too-long");
}

TEST(DecoderLoader, NamesInOrderAndGroupsAreLimited) {
  auto with_names = [](int count) {
    std::string names = "n";
    for (int i = 1; i < count; ++i)
      names += ",n";
    return load_decoders("<decoder name=\"p\"><prematch>^foo</prematch><regex>(\\d)</regex><order>" + names
                         + "</order></decoder>");
  };
  EXPECT_FALSE(has_errors(with_names(256).findings));
  EXPECT_TRUE(has_errors(with_names(257).findings));
  std::string groups;
  for (int i = 0; i < 257; ++i)
    groups += "(a)";
  EXPECT_TRUE(has_errors(load_decoders("<decoder name=\"p\"><prematch>^foo</prematch><regex>" + groups
                                       + "</regex><order>a</order></decoder>")
                             .findings));
}

TEST(DecoderLoader, SuggestsWhatWasMeant) {
  auto loaded = load_decoders("<decoder name=\"sshd\"><program_name>^sshd</program_name></decoder>\n"
                              "<decoder name=\"a\"><parent>sshdd</parent><prematch>x</prematch></decoder>\n"
                              "<decoder name=\"b\"><prematc>x</prematc></decoder>");
  ASSERT_EQ(loaded.findings.size(), 3u);
  EXPECT_NE(loaded.findings[0].hint.find("did you mean 'sshd'?"), std::string::npos);
  EXPECT_NE(loaded.findings[1].hint.find("did you mean 'prematch'?"), std::string::npos);
}

TEST(DecoderLoader, WhatHangsOnARefusedDecoderIsNotReportedAgain) {
  auto loaded = load_decoders("<decoder name=\"p\"><prematch>^fo\\xo</prematch></decoder>"
                              "<decoder name=\"c\"><parent>p</parent><prematch>x</prematch></decoder>");
  EXPECT_EQ(loaded.findings.size(), 1u);
}

TEST(DecoderLoader, BothListsMustBeFilled) {
  auto loaded = load_decoders("<decoder name=\"a\"><prematch>a</prematch></decoder>", "");
  ASSERT_EQ(loaded.findings.size(), 1u);
  EXPECT_EQ(loaded.findings[0].code, "no-decoders");
}

TEST(DecoderLoader, OnlyTheLocalFileMayBeEmpty) {
  for (auto [file, fine] :
       {std::pair{"etc/decoders/local_decoder.xml", true}, std::pair{"decoders/local_decoder.xml", true},
        std::pair{"decoders/other.xml", false}}) {
    decoder_loader loader;
    loader.add_file("base", xml::read("base", testing::base_decoders).value());
    loader.add_file(file, {});
    loader.finish();
    EXPECT_EQ(!has_errors(loader.take_diagnostics()), fine) << file;
  }
}

TEST(DecoderTree, ChildrenTakeTheirParentsNameAndIdentity) {
  auto loaded = load_decoders(
      P "<decoder name=\"c\"><parent>p</parent><prematch>x</prematch></decoder>"
        "<decoder "
        "name=\"d\"><parent>p</parent><prematch>y</prematch><use_own_name>true</use_own_name></decoder>");
  const auto& entry = loaded.tree.without_program.front();
  ASSERT_EQ(entry.children.size(), 2u);
  EXPECT_EQ(entry.children[0]->name, "p");
  EXPECT_EQ(entry.children[0]->declared_name, "c");
  EXPECT_EQ(entry.children[0]->identity, entry.self->identity);
  EXPECT_EQ(entry.children[1]->name, "d");
  EXPECT_EQ(loaded.tree.identity_of("p"), entry.self->identity);
  EXPECT_EQ(loaded.tree.identity_of("d"), entry.children[1]->identity);
  EXPECT_EQ(loaded.tree.identity_of("c"), std::nullopt) << "its own name is gone";
  EXPECT_TRUE(loaded.tree.identity_of("windows_eventchannel"));
}

TEST(DecoderTree, AChildHangsUnderEveryDecoderOfItsParentsName) {
  auto loaded =
      load_decoders(P "<decoder name=\"p\"><program_name>^prog$</program_name></decoder>"
                      "<decoder name=\"c\"><parent>p</parent><regex>(x)</regex><order>x</order></decoder>");
  EXPECT_EQ(loaded.tree.without_program.front().children.size(), 1u);
  EXPECT_EQ(loaded.tree.with_program.front().children.front(),
            loaded.tree.without_program.front().children.front());
}

TEST(DecoderTree, FtsNamesAreRead) {
  auto loaded = load_decoders(
      "<decoder name=\"p\"><prematch>^foo</prematch><regex>(\\w) (\\w) (\\w)</regex>"
      "<order>abc,def,srcip</order><fts>name, user, extra_data, location, DEF, abc</fts></decoder>");
  ASSERT_FALSE(has_errors(loaded.findings)) << to_string(loaded.findings.front());
  const auto& read = *loaded.tree.all.front();
  EXPECT_TRUE(read.has_fts);
  EXPECT_TRUE(read.fts_location);
  auto bit = [](static_field field) { return 1U << static_cast<unsigned>(field); };
  EXPECT_EQ(read.fts_statics, bit(static_field::dstuser) | bit(static_field::data));
  EXPECT_EQ(read.fts_dynamics, (std::vector<std::string>{"abc", "def"})) << "in the order of 'order'";
}

TEST(StockDecoders, LoadWithoutErrorWarningOrIgnoredElement) {
  std::filesystem::path data = PICKET_REFERENCE_DATA;
  if (!std::filesystem::exists(data)) GTEST_SKIP() << "no reference data at " << data;
  auto files = read_ruleset_directory(data / "wazuh-4.14.7");
  ASSERT_TRUE(files) << to_string(files.error());
  decoder_loader loader;
  for (const auto& file : *files) {
    if (file.kind != file_kind::decoder) continue;
    auto roots = xml::read(file.name, file.bytes);
    ASSERT_TRUE(roots) << to_string(roots.error());
    ASSERT_TRUE(xml::substitute_variables(*roots)) << file.name;
    loader.add_file(file.name, *roots);
  }
  auto tree = loader.finish();
  for (const auto& finding : loader.take_diagnostics()) {
    EXPECT_EQ(finding.severity, severity::note) << to_string(finding);
    EXPECT_NE(finding.code, "ignored-element") << to_string(finding);
  }
  EXPECT_EQ(tree.all.size(), 1575u);
}

} // namespace
} // namespace picket::engine
