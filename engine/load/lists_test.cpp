#include "engine/load/lists.hpp"

#include "engine/load/ruleset_files.hpp"
#include "engine/match/pattern.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace picket::engine {
namespace {

struct row {
  const char* id;
  const char* line;
  const char* key; ///< null: skipped
  const char* value;
};

void PrintTo(const row& each, std::ostream* out) { *out << each.id << " " << each.line; }

class ListExamples : public ::testing::TestWithParam<row> {};

TEST_P(ListExamples, ReadAsSpecified) {
  diagnostics findings;
  auto list = cdb_list::parse("etc/lists/x", GetParam().line, findings);
  if (!GetParam().key) {
    EXPECT_TRUE(list.entries().empty());
    EXPECT_EQ(findings.empty(), std::string_view(GetParam().line).empty());
    return;
  }
  ASSERT_EQ(list.entries().size(), 1u);
  EXPECT_EQ(list.entries()[0].first, GetParam().key);
  EXPECT_EQ(list.entries()[0].second, GetParam().value);
  EXPECT_TRUE(findings.empty());
}

// decoders.md 5.2
INSTANTIATE_TEST_SUITE_P(
    Specification, ListExamples,
    ::testing::Values(row{"C01", "k1:v1", "k1", "v1"}, row{"C02", "k2:", "k2", ""},
                      row{"C03", "k3", nullptr, nullptr}, row{"C04", "k4:a:b", "k4", "a:b"},
                      row{"C05", "\"k5:x\":v5", "k5:x", "v5"}, row{"C06", "\"k6\":\"v6:y\"", "k6", "v6:y"},
                      row{"C07", "k7:\"v7\"", "k7", "v7"}, row{"C08", "  k8 : v8 ", "  k8 ", " v8 "},
                      row{"C09", "k9:v\"9\"z", "k9", "9"}, row{"C10", "\"k10:v10", nullptr, nullptr},
                      row{"C11", "k11:\"v11", nullptr, nullptr}, row{"C12", "#k12:v12", "#k12", "v12"},
                      row{"C13", ":empty", "", "empty"}, row{"C16", "\"k13\"junk:v13", "k13", "v13"},
                      row{"C17", "pre\"k14\":v14", "k14", "v14"}, row{"C18", "k15:v15\r", "k15", "v15"},
                      row{"C19", "k16:v16\rrest", "k16", "v16"}, row{"C22", "\"\":v19", "", "v19"},
                      row{"C24", "k\"21:v21", nullptr, nullptr}, row{"C25", "fe80::1:v22", "fe80", ":1:v22"},
                      row{"C26", "\"fe80::2\":v23", "fe80::2", "v23"},
                      row{"C27", "\"a:b\"", nullptr, nullptr}, row{"C28", "", nullptr, nullptr}),
    [](const auto& each) { return std::string(each.param.id); });

cdb_list make(std::string_view text) {
  diagnostics findings;
  return cdb_list::parse("x", text, findings);
}

TEST(CdbList, TheFirstLineOfAKeyWins) {
  diagnostics findings;
  auto list = cdb_list::parse("etc/lists/x", "a:1\nb:2\na:3\nbad\n", findings);
  EXPECT_EQ(list.find("a"), "1");
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].code, "list-duplicate");
  EXPECT_EQ(findings[0].place.line, 3);
  EXPECT_EQ(findings[1].code, "list-line");
  EXPECT_EQ(findings[1].place.line, 4);
}

TEST(CdbList, FindingsAreLimited) {
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += "bad\n";
  diagnostics findings;
  cdb_list::parse("x", text, findings);
  ASSERT_EQ(findings.size(), 20u);
  EXPECT_NE(findings.back().text.find("not shown"), std::string::npos);
}

TEST(CdbList, LongLinesAreSplit) {
  auto list = make("k:" + std::string(65532, 'v') + "x:y\nz:1\n");
  ASSERT_EQ(list.entries().size(), 3u);
  EXPECT_EQ(list.find("x"), "y");
  EXPECT_EQ(list.find("z"), "1");
}

TEST(CdbList, AnAddressIsFoundByItsPrefixes) {
  auto list = make("10.:net10\n192.168.1.:net192\n192.168.1.5:host\n");
  EXPECT_EQ(list.find_address("192.168.1.5"), "host");
  EXPECT_EQ(list.find_address("192.168.1.6"), "net192");
  EXPECT_EQ(list.find_address("10.1"), "net10");
  EXPECT_EQ(list.find_address("10"), std::nullopt);
  EXPECT_EQ(list.find_address("192.168.2.5"), std::nullopt);
  EXPECT_EQ(list.find_address(std::string(100'000, '.')), std::nullopt) << "and quickly";
}

TEST(CdbList, LookUps) {
  auto list = make("10.:net10\n192.168.1.5:host\n");
  match_scratch scratch;
  auto host = std::move(pattern::compile(language::osmatch, "host", {}).value());
  auto holds = [&](list_lookup how, std::string_view value, const pattern* check = nullptr) {
    return list.holds(how, value, check, scratch);
  };
  EXPECT_TRUE(holds(list_lookup::match_key, "192.168.1.5"));
  EXPECT_FALSE(holds(list_lookup::match_key, "10.1"));
  EXPECT_TRUE(holds(list_lookup::not_match_key, "10.1"));
  EXPECT_TRUE(holds(list_lookup::match_key_value, "192.168.1.5", &host));
  EXPECT_FALSE(holds(list_lookup::match_key_value, "192.168.1.5"));
  EXPECT_FALSE(holds(list_lookup::match_key_value, "10.", &host));
  EXPECT_TRUE(holds(list_lookup::address_match_key, "10.1"));
  EXPECT_FALSE(holds(list_lookup::not_address_match_key, "10.1"));
  EXPECT_TRUE(holds(list_lookup::address_match_key_value, "192.168.1.5", &host));
  EXPECT_FALSE(holds(list_lookup::address_match_key_value, "10.1", &host)) << "not inverted";
  EXPECT_FALSE(holds(list_lookup::address_match_key_value, "192.168.1.5")) << "nothing to compare with";
}

TEST(CdbList, NamesOfLookUps) {
  EXPECT_EQ(parse_list_lookup("NOT_Match_Key"), list_lookup::not_match_key);
  EXPECT_EQ(parse_list_lookup("match"), std::nullopt);
}

} // namespace
} // namespace picket::engine
