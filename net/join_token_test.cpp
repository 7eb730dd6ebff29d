#include "net/join_token.hpp"

#include <gtest/gtest.h>

namespace picket::net {
namespace {

const std::string fingerprint = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";

TEST(JoinToken, GoesThereAndBack) {
  auto token = make_join_token(fingerprint);
  ASSERT_TRUE(token);
  auto text = to_text(*token);
  EXPECT_EQ(text.substr(0, 14), "picket-join-1.");
  EXPECT_EQ(text.substr(47, 33), "00112233445566778899aabbccddeeff.");
  for (const auto& form : {text, "  " + text + "\r\n"}) {
    auto read = parse_join_token(form);
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_EQ(read->secret, token->secret);
    EXPECT_EQ(read->ca, token->ca);
    EXPECT_EQ(digest_of(*read), digest_of(*token));
  }
}

TEST(JoinToken, SecretsDiffer) {
  auto one = make_join_token(fingerprint);
  auto other = make_join_token(fingerprint);
  EXPECT_NE(one->secret, other->secret);
  EXPECT_NE(digest_of(*one), digest_of(*other));
  EXPECT_FALSE(same_secret(digest_of(*one), digest_of(*other)));
  EXPECT_TRUE(same_secret(digest_of(*one), digest_of(*one)));
  EXPECT_FALSE(same_secret(digest_of(*one), digest_of(*one).substr(1)));
}

TEST(JoinToken, IsStoredAsADigestOfTheSecretAlone) {
  join_token token;
  EXPECT_EQ(digest_of(token), "374708fff7719dd5979ec875d56cd2286f6d3cf7ec317a3b25632aab28ec37bb");
}

TEST(JoinToken, PinsItsCa) {
  auto token = make_join_token(fingerprint);
  EXPECT_TRUE(pins(*token, fingerprint));
  auto other = fingerprint;
  other[31] = '0';
  EXPECT_FALSE(pins(*token, other));
  EXPECT_FALSE(pins(*token, fingerprint.substr(0, 32)));
  EXPECT_FALSE(pins(*token, ""));
  EXPECT_FALSE(make_join_token("")) << "no fingerprint, no token";
  EXPECT_FALSE(make_join_token(std::string(64, 'x')));
}

TEST(JoinToken, EverySlipOfAHandIsFoundAndNothingOfItIsTold) {
  auto token = *make_join_token(fingerprint);
  token.secret = {1, 2,  3,  4,  5,  6,  7,  8,
                  9, 10, 11, 12, 13, 14, 15, 16}; // the check has 16 bits: no dice here
  auto text = to_text(token);
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto spoiled = text;
    spoiled[i] = spoiled[i] == '7' ? '8' : '7';
    auto read = parse_join_token(spoiled);
    ASSERT_FALSE(read) << i;
    EXPECT_EQ(read.error().code, errc::join_token_invalid);
    EXPECT_EQ(to_string(read.error()).find(text.substr(14, 8)), std::string::npos);
  }
  for (const auto& bad : {std::string{}, std::string{" \n"}, text.substr(1), text.substr(0, 83), text + "0",
                          std::string(84, 'a'), "picket-join-2" + text.substr(13)})
    EXPECT_FALSE(parse_join_token(bad)) << bad;
}

} // namespace
} // namespace picket::net
