#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"

#include <gtest/gtest.h>

namespace picket {
namespace {

TEST(Bytes, HexGoesThereAndBack) {
  EXPECT_EQ(to_hex(as_bytes("\x01\xffz")), "01ff7a");
  EXPECT_EQ(as_text(*from_hex("01FF7a")), "\x01\xffz");
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
}

TEST(Bytes, LittleEndian) {
  std::byte at[4];
  store_le32(at, 0x01020304);
  EXPECT_EQ(std::to_integer<int>(at[0]), 4);
  EXPECT_EQ(load_le32(at), 0x01020304u);
}

TEST(Error, SaysWhereWhatAndHowToMend) {
  error err{errc::not_found, "no agent 7", "agents", "see 'picketctl agent list'"};
  EXPECT_EQ(to_string(err), "agents: no agent 7 (see 'picketctl agent list')");
  err.mend.clear();
  EXPECT_NE(to_string(err).find(mend_of(errc::not_found)), std::string::npos);
}

TEST(Ids, AgentIdsHaveThreeDigitsAtLeast) {
  EXPECT_EQ(to_text(agent_id{7}), "007");
  EXPECT_EQ(to_text(agent_id{1234}), "1234");
}

} // namespace
} // namespace picket
