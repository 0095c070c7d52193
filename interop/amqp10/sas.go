package amqp10

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tidegate/tidegate/amqp/client"
)

const (
	// staticToken is how a token begins that an operator wrote in the place of a key.
	staticToken = "SharedAccessSignature "
	// tokenLife is how long a token lasts that we make; it is renewed when a third of
	// that is left.
	tokenLife = time.Hour
	// azureFrame is the largest frame that Service Bus takes.
	azureFrame = 64 << 10
)

// checkAzure looks at what Service Bus needs: a policy's name and key, or a token.
func (s *settings) checkAzure() error {
	for _, text := range s.urls {
		u, err := url.Parse(text)
		if err != nil {
			return errors.New("a URL of url cannot be read: " + form)
		}
		if user, key := s.login(u); key == "" || user == "" && !strings.HasPrefix(key, staticToken) {
			return errors.New("username, password: write the name of an access policy and its key, or in password a token (" + staticToken + "sr=...)")
		}
	}
	return nil
}

// forAzure changes how a connection is made: no login, but tokens afterwards.
func (s *settings) forAzure(o *client.Options) {
	o.User, o.Password, o.Claims, o.MaxFrameSize = "", "", true, azureFrame
}

// token is the right to use a resource of a namespace, until a time.
func token(resource, policy, key string, until time.Time) string {
	if strings.HasPrefix(key, staticToken) {
		return key
	}
	where := url.QueryEscape(strings.ToLower(resource))
	expires := strconv.FormatInt(until.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(where + "\n" + expires))
	signature := url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return staticToken + "sr=" + where + "&sig=" + signature + "&se=" + expires + "&skn=" + url.QueryEscape(policy)
}
