; Ractors run in parallel; what passes between them is copied, what is shareable is not.
(define adder (ractor "adder" (+ (receive) (receive))))
(send adder 1)
(send adder 2)
(assert-equal 3 (take adder))
(assert-error 'ractor-error (take adder))
(assert-error 'ractor-error (send adder 3))

(define message [1 "two" (list 3.5) {:four [5]}])
(define echo (ractor (receive)))
(send echo message)
(define copy (take echo))
(assert-equal message copy)
(assert (not (eq? message copy)))

(define shared (make-shareable ["shared"]))
(define echo-shared (ractor (receive)))
(send echo-shared shared)
(assert (eq? shared (take echo-shared)))

; A ractor answers to the one that it was told of.
(define server
  (ractor
    (let ((client (receive)))
      (send client (* 2 (receive))))))
(send server (self))
(send server 21)
(assert-equal 42 (receive))

; What can't be copied can't be sent.
(define sink (ractor (receive)))
(assert-error 'isolation-error (send sink (open-file "/dev/null")))
(assert-error 'isolation-error (send sink (let ((n [1])) (lambda () n))))
(send sink nil)

; Of the local variables around it, a ractor sees those that hold something shareable.
(let ((number 5) (vector [1]))
  (assert-equal 6 (take (ractor (+ number 1))))
  (assert-error 'isolation-error (take (ractor (vector-ref vector 0)))))

; A condition goes to the one who takes.
(assert-error 'type-error (take (ractor (car 5))))

; Only main assigns what all can see.
(define global 1)
(assert-error 'isolation-error (take (ractor (set! global 2))))
(assert-error 'isolation-error (take (ractor (defconst NEW 2))))
(assert-equal 1 global)

; Many at a time.
(define (work n)
  (let ((list nil))
    (dotimes (i n) (set! list (cons (string i) list)))
    (length list)))
(assert-equal '(50 50 50 50) (map take (map (lambda (n) (ractor (work n))) '(50 50 50 50))))
