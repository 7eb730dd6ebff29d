#include "node/picketctl/text_table.hpp"

#include <gtest/gtest.h>

namespace picket::ctl {
namespace {

TEST(Printable, LeavesWordsOfAnyLanguageAndShowsControlsAsDigits) {
  EXPECT_EQ(printable("Grüße, 世界"), "Grüße, 世界");
  EXPECT_EQ(printable("a\x1b[2Jb\r\n\x7f"), "a\\x1b[2Jb\\x0d\\x0a\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m")
      << "a control of eight bits moves cursors too";
  EXPECT_EQ(printable("a\xff\xc3"), "a\\xff\\xc3") << "what is no UTF-8";
  EXPECT_EQ(printable(""), "");
}

TEST(TextTable, AlignsByCharactersNotBytes) {
  text_table table{{"ID", "NAME", "STATUS"}};
  table.add({"001", "büro", "active"});
  table.add({"1000000", "", "pending"});
  table.add({"2"});
  EXPECT_EQ(table.render(), "ID       NAME  STATUS\n"
                            "001      büro  active\n"
                            "1000000  -     pending\n"
                            "2        -     -\n");
  EXPECT_EQ(table.rows(), 3u);
}

TEST(TextTable, AForgedLineStaysInItsCell) {
  text_table table{{"NAME"}};
  table.add({"x\n002  admin"});
  EXPECT_EQ(table.render(), "NAME\nx\\x0a002  admin\n");
}

TEST(RenderPairs, LeavesOutWhatIsEmptyAndAlignsTheRest) {
  EXPECT_EQ(render_pairs({{"id", "001"}, {"version", ""}, {"groups", "web"}}, "  "),
            "  id      001\n  groups  web\n");
  EXPECT_EQ(render_pairs({{"id", ""}}), "");
}

} // namespace
} // namespace picket::ctl
