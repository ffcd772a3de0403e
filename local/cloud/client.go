package cloud

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/credentials"
)

// AccountID is the AWS account that everything local belongs to.
const AccountID = "000000000000"

// DefaultRegion is the Region where the program's configuration names none.
const DefaultRegion = "us-east-1"

// What the account's owner signs with, who may do everything. It is no secret:
// nothing listens beyond this machine.
const (
	accessKeyID     = "chatstack"
	secretAccessKey = "chatstack"
)

var owner = credentials.NewStaticCredentialsProvider(accessKeyID, secretAccessKey, "")

// A Client says how any AWS client reaches the local cloud's table.
type Client struct {
	Region          string `json:"region"`
	Endpoint        string `json:"endpoint"` // of DynamoDB and its streams
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
}

// Client returns the settings with which AWS clients reach the table.
func (c *Cloud) Client() Client {
	return Client{Region: c.Region(), Endpoint: c.front.URL(), AccessKeyID: accessKeyID, SecretAccessKey: secretAccessKey}
}

// Region is the Region that everything local is in.
func (c *Cloud) Region() string { return c.notes.region() }

// SetRegion sets the Region that everything local is in; empty leaves it. It can
// change only while nothing is noted, since ARNs hold it.
func (c *Cloud) SetRegion(region string) error {
	c.changes.Lock()
	defer c.changes.Unlock()
	if region == "" || region == c.Region() {
		return nil
	}
	if !c.notes.empty() {
		return fmt.Errorf("resources are deployed in Region %s and cannot move to %s: set aws:region back, or run `chatstack down` first", c.Region(), region)
	}
	c.notes.setRegion(region)
	c.settleRegion()
	return c.notes.write()
}

// arn names a resource of a service in the local account and Region.
func (c *Cloud) arn(service, resource string) string {
	return strings.Join([]string{"arn:aws", service, c.Region(), AccountID, resource}, ":")
}
