#include "store/journal/journal_names.hpp"

#include <gtest/gtest.h>

#include "store/journal/journal_order.hpp"
#include "store/testing/journal_fixture.hpp"

namespace picket::store {
namespace {

journal_output output_in(const std::filesystem::path& directory) { return alerts_json_output(directory); }

TEST(JournalNames, AreReadBackAsTheyAreWritten) {
  auto output = output_in("/logs");
  for (std::int64_t day : {0, 1, 58, 59, 60, 364, 365, 11'016, 20'151, 24'471, 73'108, 1'000'000}) {
    for (unsigned part : {0U, 1U, 99U, 999U, 1'000U, 9'999U}) {
      auto name = part_name(output, {day, part});
      auto back = parse_part_name(output, name);
      ASSERT_TRUE(back) << name;
      EXPECT_EQ(*back, (journal_part{day, part})) << name;
    }
  }
  EXPECT_EQ(part_name(output, {20'151, 0}), "2025/Mar/ossec-alerts-04.json");
  EXPECT_EQ(part_name(output, {20'151, 12}), "2025/Mar/ossec-alerts-04-012.json");
}

TEST(JournalNames, OfOthersAreNone) {
  auto output = output_in("/logs");
  for (auto* name :
       {"", "2025/Mar/ossec-alerts-04.log", "2025/Mar/ossec-archive-04.json", "2025/mar/ossec-alerts-04.json",
        "2025/Feb/ossec-alerts-30.json", "2025/Mar/ossec-alerts-4.json", "2025/Mar/ossec-alerts-00.json",
        "2025/Mar/ossec-alerts-04-000.json", "2025/Mar/ossec-alerts-04-1.json",
        "2025/Mar/ossec-alerts-04.json.gz", "25/Mar/ossec-alerts-04.json", "02025/Mar/ossec-alerts-04.json",
        "2025/Mar/ossec-alerts-04.json/", "../2025/Mar/ossec-alerts-04.json"})
    EXPECT_FALSE(parse_part_name(output, name)) << name;
}

TEST(JournalPosition, IsExactlyWhatItsTextSays) {
  journal_position place{"2025/Mar/ossec-alerts-04-001.json", 1'234};
  EXPECT_EQ(to_text(place), "2025/Mar/ossec-alerts-04-001.json:1234");
  EXPECT_EQ(parse_journal_position(to_text(place)), place);
  for (auto* wrong : {"", "x", "x:", "x:1y", ":", ":1", "x:-1", "x:01", "x:18446744073709551616",
                      "/etc/passwd:0", "../x:0", "a/../b:0", "a b:0", "a\nb:0"}) {
    EXPECT_EQ(parse_journal_position(wrong), journal_position{}) << wrong;
  }
  EXPECT_EQ(parse_journal_position(std::string(600, 'x') + ":1"), journal_position{});
}

TEST(JournalOrder, KeepsTheOrderOfBeginnings) {
  testing::scratch_directory scratch;
  auto output = output_in(scratch.path());
  std::filesystem::create_directories(output.directory);
  auto disk = disk_calls::system();
  {
    auto order = journal_order::read(output);
    ASSERT_TRUE(order);
    EXPECT_TRUE(order->names().empty());
    ASSERT_TRUE(order->append("2025/Mar/ossec-alerts-05.json", *disk));
    ASSERT_TRUE(order->append("2025/Mar/ossec-alerts-04-001.json", *disk));
    ASSERT_TRUE(order->append("2025/Mar/ossec-alerts-04-001.json", *disk));
  }
  auto order = journal_order::read(output);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->names().size(), 2u);
  EXPECT_EQ(order->behind("2025/Mar/ossec-alerts-05.json"), "2025/Mar/ossec-alerts-04-001.json");
  EXPECT_FALSE(order->behind("2025/Mar/ossec-alerts-04-001.json"));
  EXPECT_EQ(order->greatest_part(output, 20'151), 1u);
  EXPECT_FALSE(order->greatest_part(output, 20'150));
}

TEST(JournalOrder, TornAndForeignLinesAreLeftOut) {
  testing::scratch_directory scratch;
  auto output = output_in(scratch.path());
  scratch.write("alerts/alerts.json.order", "2025/Mar/ossec-alerts-04.json\n../../etc/passwd\n\n"
                                            "2025/Mar/ossec-alerts-05.json\n2025/Mar/ossec-al");
  auto order = journal_order::read(output);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->names(),
            (std::vector<std::string>{"2025/Mar/ossec-alerts-04.json", "2025/Mar/ossec-alerts-05.json"}));
}

TEST(JournalOrder, IsBounded) {
  testing::scratch_directory scratch;
  auto output = output_in(scratch.path());
  std::filesystem::create_directories(output.directory);
  auto disk = disk_calls::system();
  auto order = journal_order::read(output);
  std::vector<std::string> many;
  for (unsigned i = 0; i < journal_order::lines_max; ++i)
    many.push_back(part_name(output, {i, 0}));
  ASSERT_TRUE(order->adopt(many, *disk));
  EXPECT_EQ(order->names().size(), journal_order::lines_max);
  ASSERT_TRUE(order->append("2025/Mar/ossec-alerts-04-001.json", *disk));
  EXPECT_EQ(order->names().size(), journal_order::lines_max / 2);
  EXPECT_EQ(order->names().back(), "2025/Mar/ossec-alerts-04-001.json") << "the newest stay";
}

} // namespace
} // namespace picket::store
