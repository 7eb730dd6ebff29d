#include "protocol/registry/commands.hpp"
#include "protocol/registry/rows.hpp"

#include <gtest/gtest.h>

#include <msgpack.hpp>

namespace picket::protocol {
namespace {

/// A value of each row in which no field has its default.
agent_row full_agent() {
  agent_row row;
  row.version = 2;
  row.name = "web-01";
  row.key = std::string("\x00\xff key", 6);
  row.address = "10.1.2.0/24";
  row.source = "10.1.2.3";
  row.time_ms = 1'700'000'000'123;
  row.by = 3;
  row.registration = 77;
  row.state = confirmation::confirmed;
  row.groups = {"default", "web"};
  row.agent_version = "v4.14.7";
  return row;
}

head_row full_head() {
  head_row row;
  row.version = 2;
  row.sequence = 9;
  row.next_agent_id = 12;
  row.next_node_id = 2;
  row.time_ms = -5;
  row.schema = 3;
  row.epoch = 4;
  row.by = 1;
  row.log_from = 5;
  row.log_bytes = 600;
  return row;
}

log_row full_log() {
  log_row row;
  row.version = 2;
  row.time_ms = 11;
  row.by = 2;
  logged_command one;
  one.request = {1, 2, 3};
  one.operation = "agent_add";
  one.result.code = 605;
  one.result.text = "Duplicate agent name: web-01";
  one.result.agent = 7;
  one.result.replaced = {3, 4};
  row.commands = {one, logged_command{}};
  row.audit = {audit_record{"api:anna", "192.0.2.1", "agent_add web-01"}};
  return row;
}

/// The bytes of a row with one more key, as a newer version might write it.
std::string with_extra_key(const std::string& bytes) {
  auto handle = msgpack::unpack(bytes.data(), bytes.size());
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> packer{buffer};
  const auto& map = handle.get().via.map;
  packer.pack_map(map.size + 1);
  packer.pack(std::string{"future"});
  packer.pack(std::map<std::string, std::vector<int>>{{"a", {1, -2}}});
  for (std::uint32_t i = 0; i < map.size; ++i) {
    packer.pack(map.ptr[i].key);
    packer.pack(map.ptr[i].val);
  }
  return {buffer.data(), buffer.size()};
}

TEST(RegistryRows, ComeBackEqualWithEveryFieldSet) {
  EXPECT_EQ(decode_agent_row(encode(full_agent())).value(), full_agent());
  EXPECT_EQ(decode_head_row(encode(full_head())).value(), full_head());
  EXPECT_EQ(decode_log_row(encode(full_log())).value(), full_log());
  removed_row removed;
  removed.version = 2;
  removed.name = "old";
  removed.time_ms = 5;
  removed.by = 4;
  removed.why = "replaced";
  EXPECT_EQ(decode_removed_row(encode(removed)).value(), removed);
  group_row group;
  group.version = 2;
  group.time_ms = 8;
  group.content_version = 15;
  EXPECT_EQ(decode_group_row(encode(group)).value(), group);
}

TEST(RegistryRows, KeepKeysOfANewerVersionOnRewrite) {
  auto newer = with_extra_key(encode(full_agent()));
  auto row = decode_agent_row(newer);
  ASSERT_TRUE(row);
  ASSERT_EQ(row->unknown.size(), 1u);
  EXPECT_EQ(row->unknown[0].key, "future");
  row->name = "renamed";
  auto again = decode_agent_row(encode(*row));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->name, "renamed");
  EXPECT_EQ(again->unknown, row->unknown);
}

TEST(RegistryRows, SayWhichKeyIsWrong) {
  msgpack::sbuffer buffer;
  msgpack::pack(buffer, std::map<std::string, int>{{"v", 1}, {"t", 5}});
  auto row = decode_removed_row({buffer.data(), buffer.size()});
  ASSERT_FALSE(row);
  EXPECT_EQ(row.error().code, errc::corrupt);
  EXPECT_NE(row.error().what.find("'n' is missing"), std::string::npos) << row.error().what;

  buffer.clear();
  msgpack::pack(buffer, std::map<std::string, int>{{"v", -1}, {"t", 5}, {"ver", 0}});
  auto negative = decode_group_row({buffer.data(), buffer.size()});
  ASSERT_FALSE(negative);
  EXPECT_NE(negative.error().what.find("'v' has the wrong type"), std::string::npos) << negative.error().what;
}

TEST(RegistryRows, RefuseWhatIsNoRow) {
  EXPECT_FALSE(decode_agent_row(""));
  EXPECT_FALSE(decode_agent_row("\xc0"));
  EXPECT_FALSE(decode_agent_row(encode(full_agent()) + "x"));
  auto bytes = encode(full_agent());
  for (std::size_t cut = 0; cut < bytes.size(); ++cut)
    EXPECT_FALSE(decode_agent_row(std::string_view{bytes}.substr(0, cut))) << cut;
  // An array that claims four thousand million elements.
  EXPECT_FALSE(decode_log_row("\xdd\xff\xff\xff\xff"));
  std::string deep(100, '\x91');
  EXPECT_FALSE(decode_log_row(deep));
}

TEST(RegistryRows, RefuseAKeyThatStandsTwice) {
  std::string bytes{"\x82\xa1v\x01\xa1v\x02"};
  auto row = decode_group_row(bytes);
  ASSERT_FALSE(row);
  EXPECT_NE(row.error().what.find("twice"), std::string::npos);
}

template <class Arguments>
command full_command(Arguments arguments) {
  command value;
  value.version = 2;
  value.request = {1, 2, 3};
  value.actor = "api:anna";
  value.from = "192.0.2.1";
  value.made_ms = 42;
  value.arguments = std::move(arguments);
  return value;
}

agent_add full_add() {
  agent_add add;
  add.id = 5;
  add.name = "web-01";
  add.key = "0123";
  add.address = "any";
  add.source = "10.0.0.1";
  add.groups = {"a", "b"};
  add.agent_version = "v4.9.0";
  add.key_hash = "a33383d70c653d11f244fa9047f27a43b4d63ac6";
  add.force = {false, false, -1, 0};
  add.repeat_window_s = 0;
  add.state = confirmation::confirmed;
  add.evidence = {agent_evidence{3, 9, agent_state::disconnected, 1'000}};
  return add;
}

TEST(RegistryCommands, ComeBackEqual) {
  std::vector<command> all = {
      full_command(full_add()),
      full_command(agent_remove{{1, 2}, "retired"}),
      full_command(agent_confirm{{7, 8, 9}}),
      full_command(agent_rekey{4, "new key"}),
      full_command(agent_groups{4, groups_change::remove, {"web"}}),
      full_command(group_put{"web"}),
      full_command(group_remove{"web"}),
      full_command(fence{}),
  };
  ASSERT_EQ(all.size(), std::variant_size_v<command_arguments>);
  for (const auto& one : all) {
    auto back = decode_command(encode(one));
    ASSERT_TRUE(back) << name_of(one.arguments) << ": " << to_string(back.error());
    EXPECT_EQ(*back, one) << name_of(one.arguments);
  }
}

TEST(RegistryCommands, RefuseUnknownOperationsAndOversize) {
  auto bytes = encode(full_command(group_put{"web"}));
  bytes.replace(bytes.find("group_put"), 9, "group_xyz");
  auto unknown = decode_command(bytes);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, errc::invalid_argument);

  auto large = decode_command(encode(full_command(group_put{std::string(70'000, 'x')})));
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, errc::limit_reached);
  EXPECT_EQ(decode_command("\x96").error().code, errc::corrupt);
}

} // namespace
} // namespace picket::protocol
