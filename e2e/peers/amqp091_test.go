package peers

import _ "github.com/rabbitmq/amqp091-go"
